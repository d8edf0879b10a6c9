package port

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/console/desk"
	"github.com/genode-operator/genode-operator/internal/target/console/share"
)

// maxHello is the longest greeting, in bytes.
const maxHello = 4 << 10

// unauthorized is the reason of a denial that is not the desk's.
const unauthorized = "Unauthorized"

// Hello is the first line that a client sends over TLS, as JSON.
type Hello struct {
	Token string `json:"token"` // that of the agent's API
	Label string `json:"label"` // who it is, for the policies
	// Access is read, write or steal; "" means read.
	Access share.Access `json:"access,omitempty"`
	// Backlog is how many bytes of earlier output are wanted; null or negative: all that are kept.
	Backlog *int `json:"backlog,omitempty"`
	// Columns and Rows of the client's terminal; 0: not known.
	Columns uint16 `json:"columns,omitempty"`
	Rows    uint16 `json:"rows,omitempty"`
}

// greet reads the greeting and checks the token. The error is a *desk.Denied when the client is to be told.
func (p *Port) greet(conn net.Conn, in *bufio.Reader) (Hello, error) {
	if err := conn.SetDeadline(time.Now().Add(p.greeting)); err != nil {
		return Hello{}, err
	}
	line, err := in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return Hello{}, &desk.Denied{Reason: unauthorized, Message: fmt.Sprintf("the greeting has more than %d bytes: send one line of JSON", maxHello)}
	}
	if err != nil {
		return Hello{}, err
	}
	var h Hello
	if err := json.Unmarshal(line, &h); err != nil {
		return Hello{}, &desk.Denied{Reason: unauthorized, Message: "the greeting is not a line of JSON such as " + `{"token":"…","label":"…","access":"write"}`}
	}
	want, got := sha256.Sum256([]byte(p.token)), sha256.Sum256([]byte(h.Token))
	if p.token == "" || subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
		return Hello{}, &desk.Denied{Reason: unauthorized, Message: "the agent does not accept the token"}
	}
	return h, conn.SetDeadline(time.Time{})
}

// tell sends a notice to a client who reads JSON.
func tell(w io.Writer, n share.Notice) error {
	line, err := json.Marshal(n)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// denial is the notice of an error; ok is false when there is nobody to be told.
func denial(err error) (n share.Notice, ok bool) {
	var d *desk.Denied
	if !errors.As(err, &d) {
		return n, false
	}
	return share.Notice{Event: share.NoticeDenied, Reason: d.Reason, Message: d.Message}, true
}
