package sim

// fifo is a queue: what was put in first is taken out first, in constant time whatever its length.
type fifo[T any] struct {
	items []T
	head  int
}

func (f *fifo[T]) len() int { return len(f.items) - f.head }

func (f *fifo[T]) put(item T) { f.items = append(f.items, item) }

// first is the oldest item; there must be one.
func (f *fifo[T]) first() T { return f.items[f.head] }

// take removes the oldest item. The memory of what was taken is used again when half of it, or all, is free.
func (f *fifo[T]) take() T {
	const few = 32
	item := f.items[f.head]
	f.head++
	switch {
	case f.head == len(f.items):
		f.items, f.head = f.items[:0], 0
	case f.head > few && 2*f.head > len(f.items):
		n := copy(f.items, f.items[f.head:])
		clear(f.items[n:])
		f.items, f.head = f.items[:n], 0
	}
	return item
}

// rest are the items, oldest first.
func (f *fifo[T]) rest() []T { return f.items[f.head:] }
