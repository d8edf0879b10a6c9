package variant_test

import (
	"testing"

	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

const tenThousand = `
seed: 1
blocks:
- alternatives: [{use: binaries.RandomList, argument: 100, repeat: 10000}]
- alternatives: [{use: priority.Random}]
- alternatives: [{use: period.Random}]`

func BenchmarkBuildTenThousandTasks(b *testing.B) {
	s := spec(b, tenThousand)
	for b.Loop() {
		if _, err := variant.Build(s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAtTenThousandTasks(b *testing.B) {
	s := buildText(b, tenThousand+"\nrepeat: 1000000")
	for n := uint64(0); b.Loop(); n++ {
		if _, err := s.At(n % 1_000_000); err != nil {
			b.Fatal(err)
		}
	}
}
