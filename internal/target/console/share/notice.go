package share

import "errors"

// Errors of clients.
var (
	// ErrBusy: somebody else writes, and the request says not to wait.
	ErrBusy = errors.New("somebody else writes to this line")
	// ErrReadOnly: the client does not write, or does so no longer.
	ErrReadOnly = errors.New("this client may only read")
	// ErrDetached: the client is no longer attached.
	ErrDetached = errors.New("detached from the line")
)

// What a Notice says.
const (
	NoticeConnected  = "connected"   // once: from now on, output comes
	NoticeWaiting    = "waiting"     // somebody else writes; connected follows when it is this client's turn
	NoticeWriterLost = "writer-lost" // somebody took the line away; this client goes on reading
	NoticeSkipped    = "skipped"     // the client was too slow, so that output is missing here
	NoticeRestarted  = "restarted"   // the guest was started anew; input that it had not read is gone
	NoticeSize       = "size"        // the writer's terminal has another size
	NoticeClosed     = "closed"      // the last one: the line lets the client go
	NoticeDenied     = "denied"      // the only one: there will be no connection
)

// Notice is something that a client is told beside the guest's output.
type Notice struct {
	Event string `json:"event"`
	// Line and Access of a connection, and the bytes of earlier output that follow.
	Line     string `json:"line,omitempty"`
	Access   Access `json:"access,omitempty"`
	Replayed uint64 `json:"replayed,omitempty"`
	// Skipped is how many bytes of output are missing here: of a connection, those before the replayed ones
	// since the line's beginning.
	Skipped uint64 `json:"skipped,omitempty"`
	// By is who writes, or who took the line away.
	By string `json:"by,omitempty"`
	// Columns and Rows of the writer's terminal.
	Columns uint16 `json:"columns,omitempty"`
	Rows    uint16 `json:"rows,omitempty"`
	// Reason and Message say why a connection ended or was denied.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// Access is what a client may do.
type Access string

// The kinds of Access; each one includes those before it.
const (
	Read  Access = "read"
	Write Access = "write"
	Steal Access = "steal" // write, even though somebody else does
)

// rank orders accesses; an unknown one is none.
func (a Access) rank() int {
	switch a {
	case Read:
		return 1
	case Write:
		return 2
	case Steal:
		return 3
	}
	return 0
}

// placed is a notice with its place in the output.
type placed struct {
	Notice
	at uint64
}

// notices are what a client has not been told yet, in order. There is at most one of a kind.
type notices []placed

// add takes a notice at a place; it replaces an older one of its kind.
func (n *notices) add(at uint64, one Notice) {
	kept := (*n)[:0]
	for _, old := range *n {
		if old.Event != one.Event {
			kept = append(kept, old)
		}
	}
	*n = append(kept, placed{one, at})
}

// pop takes the first notice if its place has come.
func (n *notices) pop(offset uint64) (Notice, bool) {
	if len(*n) == 0 || (*n)[0].at > offset {
		return Notice{}, false
	}
	one := (*n)[0].Notice
	*n = (*n)[1:]
	return one, true
}

// until is the place of the first notice, or end.
func (n notices) until(end uint64) uint64 {
	if len(n) == 0 {
		return end
	}
	return min(end, n[0].at)
}
