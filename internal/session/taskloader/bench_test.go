package taskloader_test

import (
	"testing"

	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
)

// BenchmarkVariant is one variant with one job, against a target that needs no time of its own.
func BenchmarkVariant(b *testing.B) {
	target := serve(b, func(p *peer) {
		p.accept(1)
		for {
			p.write(profile("START 0 1", "EXIT 0 2"))
			p.want(framing.Stop)
			p.accept(0)
		}
	})
	s := connect(b, taskloader.New(quick()), target)
	run := oneTask("hey", "ELF")
	for b.Loop() {
		if err := s.Start(b.Context(), run); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Next(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
