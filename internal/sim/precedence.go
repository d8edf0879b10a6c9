package sim

import (
	"fmt"
	"slices"
)

// edge leads from a task to one that ends of its jobs release.
type edge struct {
	to   int
	join int // place in After; -1: the follower, which waits for nobody else
}

// edges are those of each task, its follower first. Those that lead nowhere are left out.
func edges(tasks []Task) [][]edge {
	all := make([][]edge, len(tasks))
	for i := range tasks {
		if t := &tasks[i]; t.Follows && t.Follower >= 0 && t.Follower < len(tasks) {
			all[i] = append(all[i], edge{t.Follower, -1})
		}
	}
	for i := range tasks {
		for join, before := range tasks[i].After {
			if before >= 0 && before < len(tasks) {
				all[before] = append(all[before], edge{i, join})
			}
		}
	}
	return all
}

func (c *checker) after(path string, t *Task, tasks int) {
	c.refuse(len(t.After) > 0 && t.Kind != Aperiodic, path, t.After, "only aperiodic tasks wait for others; set the kind, or remove it")
	for i, before := range t.After {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.refuse(before < 0 || before >= tasks, at, before, fmt.Sprintf("there is no such task; use 0 to %d", tasks-1))
		c.refuse(slices.Contains(t.After[:i], before), at, before, "is named twice; name each task once")
	}
}

// chains refuses tasks that release themselves in the end: without execution time they would never stop.
func (c *checker) chains(tasks []Task) {
	const (
		open = iota + 1
		done
	)
	next, state := edges(tasks), make([]int, len(tasks))
	var visit func(at int) bool
	visit = func(at int) bool {
		state[at] = open
		for _, e := range next[at] {
			switch {
			case state[e.to] == open && e.join < 0:
				c.refuse(true, fmt.Sprintf("tasks[%d].follower", at), e.to, "leads into a circle; remove one of its followers")
				return false
			case state[e.to] == open:
				c.refuse(true, fmt.Sprintf("tasks[%d].after[%d]", e.to, e.join), at, "leads into a circle; remove one of its tasks")
				return false
			case state[e.to] != done && !visit(e.to):
				return false
			}
		}
		state[at] = done
		return true
	}
	for i := range tasks {
		if state[i] == 0 && !visit(i) {
			return
		}
	}
}
