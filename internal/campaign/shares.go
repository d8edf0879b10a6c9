package campaign

import (
	"cmp"
	"slices"
	"time"
)

// share is what one campaign has had of the targets.
//
// Campaigns of the same priority share the targets' time by their weights: each has a clock of its own that
// advances by time used / weight, and a free target goes to the one whose clock is furthest behind
// (start-time fair queueing, Goyal, Vin and Cheng 1996). A time that is not over yet is counted by what the
// campaign's variants took before.
type share struct {
	priority int32
	weight   int32
	order    uint64  // breaks ties: who came first
	tag      float64 // the campaign's clock, s
	guess    float64 // what a service takes, s
	waiting  bool    // had work when it was last looked at
}

// shares hands out turns. Its zero value is ready for use; it is pure, and not safe for concurrent use.
type shares struct {
	joined uint64
	now    map[int32]float64 // by priority: the clock of the newest turn
}

// smallest is the shortest time that a service counts for, in s: nothing is free.
const smallest = 1e-6

// join makes the share of a campaign.
func (s *shares) join(priority, weight int32) *share {
	s.joined++
	return &share{priority: priority, weight: max(weight, 1), order: s.joined, guess: smallest}
}

// change sets priority and weight; what was used counts on.
func (s *shares) change(x *share, priority, weight int32) {
	if x.priority != priority {
		x.waiting = false // it is a newcomer there
		x.tag = 0
	}
	x.priority, x.weight = priority, max(weight, 1)
}

// wants tells whether a campaign has work for any target. One that had none has no claim to the time that it
// did not use: it goes on from now.
func (s *shares) wants(x *share, work bool) {
	if work && !x.waiting {
		x.tag = max(x.tag, s.now[x.priority])
	}
	x.waiting = work
}

// next is who of some campaigns that have work for a target gets it; nil when there are none.
func (s *shares) next(of []*running) *running {
	if len(of) == 0 {
		return nil
	}
	return slices.MinFunc(of, func(a, b *running) int {
		return cmp.Or(
			cmp.Compare(b.share.priority, a.share.priority),
			cmp.Compare(a.share.tag, b.share.tag),
			cmp.Compare(a.share.order, b.share.order))
	})
}

// begin counts a turn whose length is not known yet, and returns what used has to be told.
func (s *shares) begin(x *share) (guessed float64) {
	if s.now == nil {
		s.now = map[int32]float64{}
	}
	s.now[x.priority] = max(s.now[x.priority], x.tag)
	x.tag += x.guess / float64(x.weight)
	return x.guess
}

// used replaces the guess of a turn by what it took.
func (s *shares) used(x *share, guessed float64, took time.Duration) {
	seconds := max(took.Seconds(), smallest)
	x.tag += (seconds - guessed) / float64(x.weight)
	const memory = 0.25 // of the newest turn in the next guess
	x.guess += memory * (seconds - x.guess)
}
