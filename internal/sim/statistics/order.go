package statistics

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// inOrder does the items from, from+1, ... up to but not including to on several workers, and emits what came of them in
// that order. It stops at the first error. Few results wait for earlier ones, however long those take.
func inOrder[T any](ctx context.Context, from, to, workers int, do func(context.Context, int) (T, error), emit func(T) error) error {
	type item struct {
		number int
		result chan T
	}
	const ahead = 4 // items for each worker
	work, line := make(chan item), make(chan item, ahead*workers)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(work)
		defer close(line)
		for i := from; i < to; i++ {
			next := item{i, make(chan T, 1)}
			for _, to := range []chan item{line, work} {
				select {
				case to <- next:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		return nil
	})
	for range workers {
		g.Go(func() error {
			for next := range work {
				result, err := do(ctx, next.number)
				if err != nil {
					return err
				}
				next.result <- result
			}
			return nil
		})
	}
	g.Go(func() error {
		for next := range line {
			select {
			case result := <-next.result:
				if err := emit(result); err != nil {
					return err
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return g.Wait()
}
