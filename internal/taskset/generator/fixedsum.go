package generator

import "math"

// RandFixedSum draws count utilizations of 0 to most each whose sum is sum, uniformly from all such lists,
// whatever the sum is, in time proportional to count squared. It is Stafford's algorithm (Random Vectors
// with Fixed Sum, 2006), which Emberson, Stafford and Davis brought to task-sets (Techniques for the
// Synthesis of Multiprocessor Tasksets, WATERS 2010).
//
// The lists are the slice of a unit cube at a given sum, which falls apart into simplices. A table says
// with which probability a uniform point lies in a simplex of which type; a random walk through it
// chooses one, a point is drawn in it, and the coordinates are shuffled.
func RandFixedSum(r Source, count int, sum, most float64) ([]float64, error) {
	if err := checkSum(count, sum, most); err != nil {
		return nil, err
	}
	sum /= most // from here on utilizations are at most 1
	k := int(min(max(math.Floor(sum), 0), float64(count-1)))
	s := min(max(sum, float64(k)), float64(k+1))
	out := walk(r, transitions(count, k, s), k, s)
	shuffle(r, out)
	for i := range out {
		out[i] *= most
	}
	return out, nil
}

// transitions is the table: row i is for i+2 coordinates, and in it the entry of j is the probability
// that the walk stays at j when it comes there. The weights of the simplices are scaled by the largest
// float, because they become tiny.
func transitions(count, k int, s float64) [][]float64 {
	const tiny = math.SmallestNonzeroFloat64
	low, high := make([]float64, count), make([]float64, count)
	for i := range count {
		low[i] = s - float64(k-i)        // s-k, s-k+1, ...
		high[i] = float64(k+count-i) - s // s to k+n, k+n-1, ...
	}
	weights := make([]float64, count+2)
	weights[1] = math.MaxFloat64
	table := make([][]float64, count-1)
	for i := 2; i <= count; i++ {
		next := make([]float64, count+2)
		table[i-2] = make([]float64, i)
		for j := range i {
			up := weights[j+1] * low[j] / float64(i)
			down := weights[j] * high[count-i+j] / float64(i)
			next[j+1] = up + down
			total := next[j+1] + tiny
			if high[count-i+j] > low[j] {
				table[i-2][j] = down / total
			} else {
				table[i-2][j] = 1 - up/total
			}
		}
		weights = next
	}
	return table
}

// walk goes through the table from the last row to the first, and draws one coordinate at each.
func walk(r Source, table [][]float64, j int, s float64) []float64 {
	count := len(table) + 1
	out := make([]float64, count)
	added, product := 0.0, 1.0
	for i := count - 1; i >= 1; i-- {
		e := 0.0
		if r.Float64() < table[i-1][min(max(j, 0), i)] {
			e = 1
		}
		root := math.Pow(r.Float64(), 1/float64(i))
		added += (1 - root) * product * s / float64(i+1)
		product *= root
		out[count-1-i] = min(max(added+product*e, 0), 1)
		s -= e
		j -= int(e)
	}
	out[count-1] = min(max(added+product*s, 0), 1)
	return out
}

// shuffle is Durstenfeld's (Algorithm 235: Random Permutation, CACM 1964).
func shuffle(r Source, values []float64) {
	for i := len(values) - 1; i > 0; i-- {
		j := r.Uint64N(uint64(i) + 1)
		values[i], values[j] = values[j], values[i]
	}
}
