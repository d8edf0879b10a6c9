package lookout_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/genode-operator/genode-operator/internal/lookout"
)

// tower is a lookout whose things are numbers that the test sends; odd ones are news.
type tower struct {
	*lookout.Lookout[string, chan int, int]
	woken chan string
	stop  context.CancelFunc
}

func newTower(t *testing.T) *tower {
	t.Helper()
	w := &tower{woken: make(chan string)}
	w.Lookout = lookout.New(lookout.Options[string, chan int, int]{
		Follow: func(ctx context.Context, _ string, place chan int, see func(func(*int))) {
			for {
				select {
				case <-ctx.Done():
					return
				case n := <-place:
					see(func(s *int) { *s = n })
				}
			}
		},
		News: func(_, after int) bool { return after%2 == 1 },
		Wake: func(ctx context.Context, key string) {
			select {
			case w.woken <- key:
			case <-ctx.Done():
			}
		},
	})
	var ctx context.Context
	ctx, w.stop = context.WithCancel(context.Background())
	go func() { _ = w.Start(ctx) }() // always nil
	return w
}

func (w *tower) watch(t *testing.T, key string, place chan int) int {
	t.Helper()
	s, err := w.Watch(key, func(p chan int) bool { return p == place }, func() (chan int, int, error) { return place, 0, nil })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatIsSeenIsKeptAndOnlyNewsWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTower(t)
		defer w.stop()
		a := make(chan int)
		if got := w.watch(t, "a", a); got != 0 {
			t.Errorf("first snapshot = %d", got)
		}
		a <- 2 // no news: had this woken somebody, the next number would not be taken
		a <- 3
		if key := <-w.woken; key != "a" {
			t.Errorf("woken for %q", key)
		}
		if got := w.watch(t, "a", a); got != 3 {
			t.Errorf("snapshot = %d", got)
		}
		if _, got, ok := w.Newest("a"); got != 3 || !ok {
			t.Errorf("newest = %d, %v", got, ok)
		}
	})
}

func TestAnotherPlaceIsAnotherWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTower(t)
		defer w.stop()
		old, place := make(chan int), make(chan int)
		w.watch(t, "a", old)
		old <- 2
		synctest.Wait()
		if got := w.watch(t, "a", place); got != 0 {
			t.Errorf("the snapshot of the old place was kept: %d", got)
		}
		synctest.Wait()
		select {
		case old <- 4:
			t.Error("the old place is still watched")
		default:
		}
		place <- 6
		synctest.Wait()
		if p, got, _ := w.Newest("a"); p != place || got != 6 {
			t.Errorf("newest = %d", got)
		}
		w.Forget("a")
		if _, _, ok := w.Newest("a"); ok {
			t.Error("a forgotten thing is still known")
		}
	})
}

func TestAPlaceThatCannotBeOpenedIsNotWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTower(t)
		defer w.stop()
		broken := errors.New("no such place")
		never := func(chan int) bool { return false }
		if _, err := w.Watch("a", never, func() (chan int, int, error) { return nil, 0, broken }); !errors.Is(err, broken) {
			t.Errorf("error = %v", err)
		}
		if _, _, ok := w.Newest("a"); ok {
			t.Error("it is watched")
		}
	})
}

func TestTheEndOfStartEndsEveryWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTower(t)
		a := make(chan int)
		w.watch(t, "a", a)
		a <- 3 // nobody takes this news
		w.stop()
		synctest.Wait() // a goroutine that is left fails the test at its end
		if got := w.watch(t, "b", a); got != 0 {
			t.Errorf("snapshot after the end = %d", got)
		}
		if _, _, ok := w.Newest("b"); ok {
			t.Error("something is watched after the end")
		}
	})
}
