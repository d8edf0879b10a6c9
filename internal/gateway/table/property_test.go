package table

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// model is what a table has to be, in the plainest terms.
type model struct {
	table   *Table
	order   []uint64 // open, as they came
	waiting []uint64 // closed
	gone    int      // deleted or reported
	added   int
	now     time.Time
}

// drawID is often an id that matters to a walk.
func drawID(t *rapid.T) uint64 {
	return rapid.OneOf(rapid.Uint64Range(0, 12), rapid.Uint64Range(FromStart-3, FromStart+3), rapid.Uint64()).Draw(t, "id")
}

func (m *model) step(t *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "seconds")) * time.Second)
	switch rapid.IntRange(0, 5).Draw(t, "what") {
	case 0, 1:
		m.add(t, drawID(t))
	case 2:
		m.end(t, drawID(t))
	case 3:
		m.expire()
	case 4:
		m.report(t)
	case 5:
		id := drawID(t)
		_, err := m.table.Delete(m.now, Report{ID: id})
		open, closed := slices.Index(m.order, id), lastIndex(m.waiting, id)
		switch {
		case open >= 0:
			m.order, m.gone = slices.Delete(m.order, open, open+1), m.gone+1
		case closed >= 0:
			m.waiting, m.gone = slices.Delete(m.waiting, closed, closed+1), m.gone+1
		case !errors.Is(err, ErrUnknown):
			t.Fatalf("Delete of a session that there is not = %v", err)
		}
	}
}

func lastIndex(ids []uint64, id uint64) int {
	for i := len(ids) - 1; i >= 0; i-- {
		if ids[i] == id {
			return i
		}
	}
	return -1
}

func (m *model) add(t *rapid.T, id uint64) {
	s := spec(id)
	s.IdleTimeout = 20 * time.Second
	err := m.table.Add(m.now, s)
	duplicate, _ := errors.AsType[*DuplicateError](err)
	switch there := slices.Contains(m.order, id); {
	case err == nil && !there && len(m.order) < m.table.o.Capacity:
		m.order, m.added = append(m.order, id), m.added+1
	case duplicate != nil && (there && duplicate.Existing == id || !there && duplicate.Tuple && slices.Contains(m.order, duplicate.Existing)):
	case errors.Is(err, ErrFull) && len(m.order) == m.table.o.Capacity:
	default:
		t.Fatalf("Add(%d) = %v with %d of %d", id, err, len(m.order), m.table.o.Capacity)
	}
}

func (m *model) end(t *rapid.T, id uint64) {
	i := slices.Index(m.order, id)
	if closed := m.table.Observe(m.now, Report{ID: id, State: Closed, Code: Reset}); closed != (i >= 0) {
		t.Fatalf("Observe(%d) = %v", id, closed)
	}
	if i >= 0 {
		m.order, m.waiting = slices.Delete(m.order, i, i+1), append(m.waiting, id)
	}
}

func (m *model) expire() {
	for _, id := range m.table.Due(m.now) {
		m.table.Expire(Report{ID: id})
		m.order = slices.DeleteFunc(m.order, func(o uint64) bool { return o == id })
		m.waiting = append(m.waiting, id)
	}
}

// report takes some, of which not all arrive.
func (m *model) report(t *rapid.T) {
	most := rapid.IntRange(0, 4).Draw(t, "most")
	taken := m.table.Take(most)
	arrived := rapid.IntRange(0, len(taken)).Draw(t, "arrived")
	if !slices.Equal(ids(taken), m.waiting[:len(taken)]) || most == 0 && len(taken) != len(m.waiting) || most > 0 && len(taken) > most {
		t.Fatalf("Take(%d) = %v of %v", most, ids(taken), m.waiting)
	}
	m.table.Return(taken[arrived:])
	m.waiting, m.gone = m.waiting[arrived:], m.gone+arrived
}

// check compares everything that can be asked.
func (m *model) check(t *rapid.T) {
	all, _ := m.table.List(Page{})
	if !slices.Equal(ids(all), m.order) {
		t.Fatalf("the table lists %v, want %v", ids(all), m.order)
	}
	if m.added != len(m.order)+len(m.waiting)+m.gone {
		t.Fatalf("of %d sessions, %d are open, %d closed and %d gone: some are lost", m.added, len(m.order), len(m.waiting), m.gone)
	}
	if waiting, forgotten := m.table.Unreported(); waiting != len(m.waiting) || forgotten != 0 {
		t.Fatalf("%d wait, %d are forgotten; want %d and none", waiting, forgotten, len(m.waiting))
	}
	size := rapid.Uint32Range(1, 5).Draw(t, "size")
	var paged, walked []uint64
	for n := uint32(1); ; n++ {
		page, _ := m.table.List(Page{Size: size, Number: n})
		if len(page) == 0 {
			break
		}
		paged = append(paged, ids(page)...)
	}
	if !slices.Equal(paged, m.order) {
		t.Fatalf("pages of %d are %v, want %v", size, paged, m.order)
	}
	for after := FromStart; ; {
		page, next := m.table.List(Page{Size: size, After: after})
		if len(page) == 0 {
			break
		}
		if len(walked) > len(m.order) {
			t.Fatalf("a walk by %d does not end: %v of %v", size, walked, m.order)
		}
		walked, after = append(walked, ids(page)...), next
	}
	if !slices.Equal(walked, slices.Sorted(slices.Values(m.order))) {
		t.Fatalf("a walk by %d saw %v of %v", size, walked, m.order)
	}
	unique := map[uint64]bool{}
	for _, id := range append(slices.Clone(m.order), m.waiting...) {
		unique[id] = true
		if _, err := m.table.Get(id); err != nil {
			t.Fatalf("Get(%d) = %v", id, err)
		}
	}
	for id := range maps.Keys(m.table.closed.newest) {
		if !unique[id] {
			t.Fatalf("%d is kept although it was reported", id)
		}
	}
}

func TestTableKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{table: New(Options{Capacity: rapid.IntRange(1, 20).Draw(t, "capacity")}), now: epoch}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			m.step(t)
			m.check(t)
		}
	})
}

// FuzzTable lets the fuzzer choose the steps.
func FuzzTable(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		m := &model{table: New(Options{Capacity: 8}), now: epoch}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			m.step(t)
			m.check(t)
		}
	}))
}
