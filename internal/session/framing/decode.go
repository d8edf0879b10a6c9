package framing

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Bounds of a document.
const (
	MaxDepth   = 16
	MaxEntries = 1 << 18 // events or threads; a target's largest buffer has room for 190,000 events
)

// Event is one entry of a target's event log, as it stands on the wire.
type Event struct {
	Type   string // empty when the target gave none
	TaskID int    // -1 when the target gave none
	Stamp  int64  // milliseconds of the target's clock, which wraps; see Stamps
}

// Thread is one entry of a live frame: a thread of the target's whole system.
type Thread struct {
	ID            int
	Session       string // such as "init -> taskloader -> 00.hey"
	Name          string
	State         int // see ThreadDead
	Priority      int
	Core          int
	ExecutionTime int64 // all times in milliseconds
	ArrivalTime   int64
	StartTime     int64
	ExitTime      int64
	RAMQuota      int64 // KiB
	RAMUsed       int64 // KiB
}

// ThreadDead is the State of a thread that has ended.
const ThreadDead = 5

// Document is the content of a frame.
type Document struct {
	Live    bool // a live frame with Threads; otherwise a profile frame with Events
	Events  []Event
	Threads []Thread
}

// Decode reads the XML of a frame. It stops at the end tag of the root: what follows is the NUL that
// belongs to the frame, and with old targets the tail of an earlier, longer document. Unknown elements
// and attributes are skipped, unknown types and ids are returned. Errors are ErrMalformed.
func Decode(body []byte) (Document, error) {
	d := decoder{xml: xml.NewDecoder(bytes.NewReader(body))}
	for {
		token, err := d.xml.Token()
		if errors.Is(err, io.EOF) {
			err = errors.New("the document ends before its root does")
		}
		if err != nil {
			return Document{}, fmt.Errorf("%w document of %d bytes: %w", ErrMalformed, len(body), err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			d.depth++
			err = d.element(t)
		case xml.EndElement:
			d.depth--
			if d.depth == 0 {
				return d.doc, nil
			}
		}
		if err != nil {
			return Document{}, fmt.Errorf("%w document of %d bytes: %w", ErrMalformed, len(body), err)
		}
	}
}

type decoder struct {
	xml   *xml.Decoder
	depth int // of the element that is open
	group string
	doc   Document
}

func (d *decoder) element(e xml.StartElement) error {
	switch {
	case d.depth > MaxDepth:
		return fmt.Errorf("elements are nested deeper than %d", MaxDepth)
	case len(d.doc.Events)+len(d.doc.Threads) >= MaxEntries:
		return fmt.Errorf("more than %d entries", MaxEntries)
	}
	switch d.depth {
	case 1:
		return d.root(e.Name.Local)
	case 2:
		d.group = e.Name.Local
	case 3:
		return d.entry(e)
	}
	return nil
}

func (d *decoder) root(name string) error {
	if name != "profile" && name != "live" {
		return fmt.Errorf("the root is %q instead of profile or live", name)
	}
	d.doc.Live = name == "live"
	return nil
}

// entry takes what the kind of document is about and skips the rest.
func (d *decoder) entry(e xml.StartElement) error {
	switch name := e.Name.Local; {
	case !d.doc.Live && d.group == "events" && name == "event":
		return d.event(e.Attr)
	case d.doc.Live && d.group == "task-descriptions" && name == "task":
		return d.thread(e.Attr)
	}
	return nil
}

func (d *decoder) event(attributes []xml.Attr) error {
	event := Event{TaskID: -1}
	for _, a := range attributes {
		var err error
		var n int64
		switch a.Name.Local {
		case "type":
			event.Type = a.Value
		case "task-id":
			n, err = number(a)
			event.TaskID = int(n)
		case "time-stamp":
			event.Stamp, err = number(a)
		}
		if err != nil {
			return err
		}
	}
	d.doc.Events = append(d.doc.Events, event)
	return nil
}

func (d *decoder) thread(attributes []xml.Attr) error {
	var t Thread
	var id, state, priority, core int64
	numbers := map[string]*int64{
		"id": &id, "state": &state, "priority": &priority, "core": &core,
		"ram_quota": &t.RAMQuota, "ram_used": &t.RAMUsed, "execution-time": &t.ExecutionTime,
		"arrival-time": &t.ArrivalTime, "start-time": &t.StartTime, "exit-time": &t.ExitTime,
	}
	for _, a := range attributes {
		switch a.Name.Local {
		case "session":
			t.Session = a.Value
		case "thread":
			t.Name = a.Value
		}
		if n, isNumber := numbers[a.Name.Local]; isNumber {
			var err error
			if *n, err = number(a); err != nil {
				return err
			}
		}
	}
	t.ID, t.State, t.Priority, t.Core = int(id), int(state), int(priority), int(core)
	d.doc.Threads = append(d.doc.Threads, t)
	return nil
}

func number(a xml.Attr) (int64, error) {
	n, err := strconv.ParseInt(a.Value, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s=%q is not a number", a.Name.Local, a.Value)
	}
	return n, nil
}
