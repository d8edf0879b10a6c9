package sim

import "testing"

// TestQueuesKeepTheirOrderAndLittleMemory, whatever goes in and out.
func TestQueuesKeepTheirOrderAndLittleMemory(t *testing.T) {
	var f fifo[int]
	in, out := 0, 0
	for round := range 2000 {
		for range round%7 + round/1000 {
			f.put(in)
			in++
		}
		for range min(f.len(), round%6) {
			if f.first() != out || f.take() != out {
				t.Fatalf("took something else than %d", out)
			}
			out++
		}
		if f.len() != in-out || len(f.rest()) != in-out || len(f.items) > 2*f.len()+64 {
			t.Fatalf("%d items in %d places, want %d", f.len(), len(f.items), in-out)
		}
	}
	for f.len() > 0 {
		if f.take() != out {
			t.Fatalf("took something else than %d", out)
		}
		out++
	}
	if out != in {
		t.Errorf("%d went in, %d came out", in, out)
	}
}
