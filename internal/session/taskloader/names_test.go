package taskloader

import (
	"crypto/sha256"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/genode-operator/genode-operator/internal/session"
)

// TestNamesNeverGetAnotherContent walks over runs and connections: whatever binaries are handed over,
// a name that a target has seen keeps its content, and every pkg refers to its own content.
func TestNamesNeverGetAnotherContent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		onTarget := map[string][32]byte{}
		held := map[string][32]byte{}
		for range rapid.IntRange(1, 12).Draw(t, "runs") {
			if rapid.IntRange(0, 4).Draw(t, "reconnect") == 0 {
				held = map[string][32]byte{}
			}
			binaries := map[string]session.Binary{}
			for _, pkg := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"pi", "hey", "tumatmul-longer", "pi-3fa9c1"}), rapid.ID).Draw(t, "pkgs") {
				binaries[pkg] = session.Binary{Name: pkg, Content: []byte(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "content"))}
			}
			var pkgs []string
			for pkg := range binaries {
				pkgs = append(pkgs, pkg, pkg)
			}
			names, uploads, err := planUploads(binaries, pkgs, held, onTarget)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range uploads {
				if before, seen := onTarget[u.name]; seen && before != u.sum {
					t.Fatalf("%s gets another content", u.name)
				}
				if _, again := held[u.name]; again {
					t.Fatalf("%s is sent twice", u.name)
				}
				if len(u.name) > 15 {
					t.Fatalf("%s is too long", u.name)
				}
				onTarget[u.name], held[u.name] = u.sum, u.sum
			}
			for pkg, b := range binaries {
				if held[names[pkg]] != sha256.Sum256(b.Content) {
					t.Fatalf("pkg %s refers to %s, which is something else", pkg, names[pkg])
				}
			}
		}
	})
}

func TestABinaryWithoutAFreeNameIsRefused(t *testing.T) {
	sum := sha256.Sum256([]byte("new"))
	taken := map[string][32]byte{"pi": {1}}
	for range 10 {
		name, err := freeName("pi", sum, taken, nil)
		if err != nil {
			t.Fatal(err)
		}
		taken[name] = [32]byte{1}
	}
	if _, err := freeName("pi", sum, taken, nil); err == nil || !strings.Contains(err.Error(), "restart the target") {
		t.Errorf("error %v", err)
	}
}

func TestADamagedCopyIsAvoidedAsLongAsThereAreNames(t *testing.T) {
	sum := sha256.Sum256([]byte("content"))
	known := map[string][32]byte{}
	for range 11 {
		name, err := freeName("pi", sum, nil, known)
		if err != nil {
			t.Fatal(err)
		}
		if _, before := known[name]; before {
			t.Fatalf("%s is used again after %d names", name, len(known))
		}
		known[name] = damaged(sum)
	}
	if name, err := freeName("pi", sum, nil, known); err != nil || name != "pi" {
		t.Errorf("with no name left: %q, %v", name, err)
	}
}
