package desk

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/genode-operator/genode-operator/internal/target/console/share"
)

// Reasons of a Denied.
const (
	NoPolicy          = "NoPolicy"          // nothing is said about a client of this label
	NoLine            = "NoLine"            // the guest has no such serial line
	Forbidden         = "Forbidden"         // the policy grants less than the client asks for
	InsufficientQuota = "InsufficientQuota" // as many clients as may be are attached
	Busy              = "Busy"              // somebody writes, and the policy lets nobody wait
	Closed            = "Closed"            // the agent is ending
)

// Denied is the error of a client that is not let in.
type Denied struct {
	Reason  string // one of the constants
	Message string
}

// Error says why, and what to do.
func (d *Denied) Error() string { return d.Message }

func denied(reason, format string, args ...any) error {
	return &Denied{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// DefaultClients is how many clients a policy lets in at a time if it does not say.
const DefaultClients = 16

// Policy says what clients of a label may do. What no policy mentions is denied.
type Policy struct {
	// Label of the clients; one that ends in * stands for all labels that begin so.
	Label string
	// Line that the policy is about; "" stands for all.
	Line string
	// Access is the most that a client may ask for.
	Access share.Access
	// Clients is how many of them may be attached at a time. 0 means DefaultClients.
	Clients int
	// Single denies a second writer at once instead of letting it wait.
	Single bool
}

// ParsePolicy reads a policy as a flag gives it: LABEL[@LINE]=ACCESS[,clients=N][,single].
func ParsePolicy(text string) (Policy, error) {
	wrong := func(format string, args ...any) (Policy, error) {
		return Policy{}, fmt.Errorf("console policy %q: %s; write LABEL[@LINE]=read|write|steal[,clients=N][,single], for example manager=steal,clients=8",
			text, fmt.Sprintf(format, args...))
	}
	who, what, found := strings.Cut(text, "=")
	if !found {
		return wrong("the access is missing")
	}
	words := strings.Split(what, ",")
	p := Policy{Access: share.Access(words[0])}
	p.Label, p.Line, found = strings.Cut(who, "@")
	if p.Label == "" || found && p.Line == "" {
		return wrong("the label or the line is empty")
	}
	switch p.Access {
	case share.Read, share.Write, share.Steal:
	default:
		return wrong("access %q is not known", words[0])
	}
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		n, err := strconv.Atoi(value)
		switch {
		case word == "single":
			p.Single = true
		case name == "clients" && err == nil && n > 0:
			p.Clients = n
		default:
			return wrong("%q is not understood", word)
		}
	}
	return p, nil
}

// covers is true when the policy is about clients of the label on the line.
func (p *Policy) covers(label, line string) bool {
	prefix, open := strings.CutSuffix(p.Label, "*")
	return (p.Line == "" || p.Line == line) && (label == p.Label || open && strings.HasPrefix(label, prefix))
}

// permits is true when a client may have the access.
func (p *Policy) permits(wanted share.Access) bool {
	switch p.Access {
	case share.Steal:
		return wanted == share.Read || wanted == share.Write || wanted == share.Steal
	case share.Write:
		return wanted == share.Read || wanted == share.Write
	}
	return p.Access == share.Read && wanted == share.Read
}

func (p *Policy) clients() int {
	if p.Clients > 0 {
		return p.Clients
	}
	return DefaultClients
}
