package faketarget

// Step is a place in the target's work that a Fault can be tied to.
type Step string

// Steps. Those named after a message are passed when its word has come and before it is handled.
const (
	AtMessage      Step = "message" // any word
	AtClear        Step = "CLEAR"
	AtDescription  Step = "SEND_DESCS"
	AtBinaries     Step = "SEND_BINARIES"
	AtGoSend       Step = "GO_SEND" // a binary is due and GO_SEND is not yet sent
	AtBinaryHeader Step = "header"  // name and size of a binary have come, its content has not
	AtBinary       Step = "BINARY"  // a binary has come
	AtStart        Step = "START"
	AtStop         Step = "STOP"
	AtQuery        Step = "query"   // GET_LIVE, GET_PROFILE or AVAILABLE
	AtRelease      Step = "release" // a job was released and runs
	AtPush         Step = "push"    // a profile frame is due; Replace and Skip are about this frame
)

// Fault is something that goes wrong. It strikes once, unless Times says otherwise.
type Fault struct {
	At      Step
	After   int // how often the step is passed unharmed before; counted over the target's life
	Times   int // how often it strikes; 0: once; negative: always
	Running int // strikes only while at least so many jobs run
	Do      Action
}

// Action is what a Fault does.
type Action struct {
	kind  actionKind
	bytes []byte
}

type actionKind int

const (
	doNothing actionKind = iota
	doHang
	doClose
	doReset
	doSend
	doReplace
	doSkip
)

// Hang makes the target read and write nothing more, with all connections open, until Thaw.
func Hang() Action { return Action{kind: doHang} }

// Close ends the connection in good order (FIN).
func Close() Action { return Action{kind: doClose} }

// Reset ends the connection with a reset.
func Reset() Action { return Action{kind: doReset} }

// Send sends bytes of the test's own.
func Send(p []byte) Action { return Action{kind: doSend, bytes: p} }

// Replace sends bytes in place of a frame that is due, with AtPush; elsewhere it is Send.
func Replace(p []byte) Action { return Action{kind: doReplace, bytes: p} }

// Skip loses the frame that is due, with AtPush, or the GO_SEND, with AtGoSend.
func Skip() Action { return Action{kind: doSkip} }

// armed is a Fault and how far it has come.
type armed struct {
	Fault
	passed, struck int
}

// strikes counts a pass of the step and says whether the fault strikes. It is pure but for its counters.
func (a *armed) strikes(at Step, running int) bool {
	if a.At != at || running < a.Running {
		return false
	}
	a.passed++
	limit := max(a.Times, 1)
	if a.passed <= a.After || a.Times >= 0 && a.struck >= limit {
		return false
	}
	a.struck++
	return true
}
