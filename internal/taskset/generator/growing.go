package generator

import "fmt"

// Kato draws utilizations uniformly from least to most until they reach the sum, and cuts the last one so that they add up
// to it: their number is random, too (Kato, Yamasaki and Ishikawa, Semi-Partitioned Scheduling of Sporadic Task Systems on
// Multiprocessors, ECRTS 2009).
func Kato(r Source, sum, least, most float64) ([]float64, error) {
	if !(least > 0 && least <= most && most <= 1) { // not a number fails as well
		return nil, fmt.Errorf("utilizations: %g to %g is no interval; use more than 0 and at most 1", least, most)
	}
	if !(sum > 0 && sum <= MaxTasks*least) {
		return nil, fmt.Errorf("utilization: %g is out of range; %d tasks of at least %g each take more than 0 and at most %g", sum, MaxTasks, least, MaxTasks*least)
	}
	var out []float64
	for rest := sum; rest > 0; {
		u := min(least+r.Float64()*(most-least), rest)
		out = append(out, u)
		rest -= u
	}
	return out, nil
}

// Timing of a task: its execution time, and its relative deadline and period, which are not before it.
type Timing struct{ ExecutionTime, Deadline, Period int64 }

// Ripoll draws tasks until their utilizations reach the sum: execution times from 1 to compute, deadlines up to deadline
// later, and periods up to period later than those, all of them uniformly (Ripoll, Crespo and Mok, Improvement in
// Feasibility Testing for Real-Time Tasks, Real-Time Systems 11, 1996). The last task may take the sum beyond what was asked
// for.
func Ripoll(r Source, compute, deadline, period int64, sum float64) ([]Timing, error) {
	for _, f := range []struct {
		name  string
		value int64
		least int64
	}{{"compute", compute, 1}, {"deadline", deadline, 0}, {"period", period, 0}} {
		if f.value < f.least || f.value > maxPeriod/4 {
			return nil, fmt.Errorf("%s: %d is out of range; use %d to 2^51", f.name, f.value, f.least)
		}
	}
	if !(sum > 0 && sum <= MaxTasks) {
		return nil, fmt.Errorf("utilization: %g is out of range; use more than 0 and at most %d", sum, MaxTasks)
	}
	upTo := func(n int64) int64 { return int64(r.Uint64N(uint64(n) + 1)) }
	var out []Timing
	for total := 0.0; total < sum; {
		if len(out) == MaxTasks {
			return nil, fmt.Errorf("utilization: %d tasks do not reach %g, only %g; use less, or shorter deadlines and periods", MaxTasks, sum, total)
		}
		t := Timing{ExecutionTime: 1 + upTo(compute-1)}
		t.Deadline = t.ExecutionTime + upTo(deadline)
		t.Period = t.Deadline + upTo(period)
		out = append(out, t)
		total += float64(t.ExecutionTime) / float64(t.Period)
	}
	return out, nil
}

// ConstrainedDeadline draws a relative deadline from the execution time to the period, each with the same probability.
func ConstrainedDeadline(r Source, executionTime, period int64) int64 {
	if period <= executionTime {
		return period
	}
	return executionTime + int64(r.Uint64N(uint64(period-executionTime)+1))
}
