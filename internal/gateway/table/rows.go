package table

import (
	"cmp"
	"math"
	"slices"
)

// rows are the open sessions in two orders. A session that was taken out stays in the lists until they are read, or
// half of them is of that kind: both taking out and reading are cheap.
type rows struct {
	added  []*Session // in the order in which they came
	byID   []*Session // ascending, if sorted
	sorted bool
	gone   map[*Session]struct{}
}

func (r *rows) add(s *Session) {
	r.added = append(r.added, s)
	r.sorted = false
}

func (r *rows) remove(s *Session) {
	if r.gone == nil {
		r.gone = map[*Session]struct{}{}
	}
	r.gone[s] = struct{}{}
	r.sorted = false
	if len(r.gone) > len(r.added)/2 {
		r.sweep()
	}
}

// sweep drops what was taken out.
func (r *rows) sweep() {
	if len(r.gone) == 0 {
		return
	}
	r.added = slices.DeleteFunc(r.added, func(s *Session) bool { _, gone := r.gone[s]; return gone })
	clear(r.gone)
	r.byID = nil
}

// inOrder are the open sessions as they came.
func (r *rows) inOrder() []*Session {
	r.sweep()
	return r.added
}

// ascending are the open sessions by their ids.
func (r *rows) ascending() []*Session {
	r.sweep()
	if !r.sorted {
		r.byID = append(r.byID[:0], r.added...)
		slices.SortFunc(r.byID, func(a, b *Session) int { return cmp.Compare(a.ID, b.ID) })
		r.sorted = true
	}
	return r.byID
}

// FromStart is the cursor that comes before every id, 0 included. It is an id, too; see after.
const FromStart uint64 = math.MaxUint32

// maxPage is the largest page of a walk by cursor.
const maxPage = 64

// Page says which open sessions are wanted. With Size and Number it is that page of so many, the first being 1, in the
// order in which sessions came. With Size or After alone it is a step of a walk: up to Size (at most 64) sessions with ids
// above After, ascending. The zero value wants all of them.
type Page struct {
	Size, Number uint32
	After        uint64
}

// List are the sessions of a page. next is what After has to be for the next step of a walk; a walk ends with an
// empty page.
func (t *Table) List(p Page) (page []Session, next uint64) {
	switch {
	case p.Size > 0 && p.Number > 0:
		all := t.rows.inOrder()
		begin := min(uint64(p.Size)*uint64(p.Number-1), uint64(len(all)))
		end := min(begin+uint64(p.Size), uint64(len(all)))
		return copies(all[begin:end]), 0
	case p.Size > 0 || p.After > 0:
		return t.after(p)
	default:
		return copies(t.rows.inOrder()), 0
	}
}

// after is a step of a walk. Where its last id is FromStart, the walk would begin anew: then the cursor is the number
// above it, and a session that has just that id comes with this page.
func (t *Table) after(p Page) ([]Session, uint64) {
	all := t.rows.ascending()
	begin := 0
	if p.After != FromStart {
		begin, _ = slices.BinarySearchFunc(all, p.After, func(s *Session, id uint64) int {
			if s.ID <= id {
				return -1
			}
			return 1
		})
	}
	size := maxPage
	if p.Size > 0 {
		size = min(size, int(p.Size))
	}
	end := min(begin+size, len(all))
	if begin == end {
		return nil, 0
	}
	next := all[end-1].ID
	if next == FromStart {
		next++
		if end < len(all) && all[end].ID == next {
			end++
		}
	}
	return copies(all[begin:end]), next
}

func copies(rows []*Session) []Session {
	page := make([]Session, len(rows))
	for i, s := range rows {
		page[i] = *s
	}
	return page
}
