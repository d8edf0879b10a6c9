package taskloader

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/framing"
)

// upload is a binary under the name that it gets on the wire.
type upload struct {
	name    string
	content []byte
	sum     [32]byte
}

const hashDigits = 6 // of a name that carries a part of the hash

// planUploads decides under which name each pkg's binary goes over the wire, and which of them have to
// be sent. held are the names and contents on the target; known are those that it may have from
// earlier connections, whose names must not get another content. It is pure.
func planUploads(binaries map[string]session.Binary, pkgs []string, held, known map[string][32]byte) (names map[string]string, uploads []upload, err error) {
	names = map[string]string{}
	taken := maps.Clone(held)
	for _, pkg := range slices.Compact(slices.Sorted(slices.Values(pkgs))) {
		binary, there := binaries[pkg]
		if !there {
			return nil, nil, fmt.Errorf("binary %q: a task needs it, but it was not handed over; add it to the binaries", pkg)
		}
		if len(binary.Content) == 0 {
			return nil, nil, fmt.Errorf("%w: binary %q is empty, which targets take for a lost connection; send another file", session.ErrUnsupported, pkg)
		}
		if binary.SHA256 == ([32]byte{}) {
			binary.SHA256 = sha256.Sum256(binary.Content)
		}
		name, err := freeName(pkg, binary.SHA256, taken, known)
		if err != nil {
			return nil, nil, err
		}
		names[pkg] = name
		if _, there := taken[name]; !there {
			taken[name] = binary.SHA256
			uploads = append(uploads, upload{name: name, content: binary.Content, sum: binary.SHA256})
		}
	}
	return names, uploads, nil
}

// freeName is the first name for the content that no other content has: the pkg, else names with a
// part of the hash. When all are gone, one that has a damaged copy of the content is better than none:
// the target may have restarted since.
func freeName(pkg string, sum [32]byte, taken, known map[string][32]byte) (string, error) {
	digits := hex.EncodeToString(sum[:])
	stem := pkg[:min(len(pkg), framing.MaxName-hashDigits-1)]
	last := ""
	for i := -1; (i+1)*hashDigits <= len(digits); i++ {
		name := pkg
		if i >= 0 {
			name = stem + "-" + digits[i*hashDigits:(i+1)*hashDigits]
		}
		if held, there := taken[name]; there && held == sum {
			return name, nil
		} else if there {
			continue
		}
		if mayHold(known, name, sum) {
			return name, nil
		}
		if last == "" && known[name] == damaged(sum) {
			last = name
		}
	}
	if last != "" {
		return last, nil
	}
	return "", fmt.Errorf("binary %q: the target holds other binaries under every name for it; restart the target", pkg)
}

// damaged stands for a part of the content that has the sum.
func damaged(sum [32]byte) [32]byte {
	for i := range sum {
		sum[i] = ^sum[i]
	}
	return sum
}

func mayHold(held map[string][32]byte, name string, sum [32]byte) bool {
	other, there := held[name]
	return !there || other == sum
}

// memory remembers which content a name had on each target, over connections. Names outlive a
// connection when the target did not restart. It is bounded; what it forgets is no longer protected.
type memory struct {
	mu      sync.Mutex
	targets map[string]map[string][32]byte
}

const (
	maxTargets = 4096
	maxNames   = 1024 // per target
)

func (m *memory) of(t session.Target) map[string][32]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.targets[t.Name+"@"+t.Address])
}

func (m *memory) remember(t session.Target, name string, sum [32]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.targets == nil || len(m.targets) > maxTargets {
		m.targets = map[string]map[string][32]byte{}
	}
	key := t.Name + "@" + t.Address
	if m.targets[key] == nil || len(m.targets[key]) > maxNames {
		m.targets[key] = map[string][32]byte{}
	}
	m.targets[key][name] = sum
}
