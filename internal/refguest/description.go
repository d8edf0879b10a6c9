package refguest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// Bounds of a description, beyond its size.
const (
	maxTasks = 100_000
	maxDepth = 256 // of nested elements
	maxPkg   = 31  // characters of a pkg; the rest is cut off, as the original does
)

// Description is one periodictask element as the server reads it. Times are milliseconds.
type Description struct {
	ID           uint32
	Pkg          string
	Quota        uint64 // bytes; 0: no limit here, nothing on a Genode target
	Config       []byte // the config element with its tags, never empty
	Period       uint32 // 0: one job at once
	CriticalTime uint32 // 0: no limit
	Priority     uint32
	Offset       uint32
	NumberOfJobs uint32 // 0: never runs
}

// parseDescriptions reads the direct children periodictask of the root, whatever the root is called.
// Unknown elements and all attributes are ignored; of equal children the first counts. Malformed XML
// yields an error and no tasks (the original dies of it).
func parseDescriptions(text []byte) ([]Description, error) {
	p := parser{text: text, dec: xml.NewDecoder(bytes.NewReader(text))}
	p.dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	if err := p.root(); err != nil {
		return nil, fmt.Errorf("parse task description at byte %d: %w", p.dec.InputOffset(), err)
	}
	return p.tasks, nil
}

type parser struct {
	text  []byte
	dec   *xml.Decoder
	tasks []Description
}

// children calls each for every child element of the element that was just opened; each must consume it.
func (p *parser) children(each func(name string, begin int64) error) error {
	for {
		begin := p.dec.InputOffset()
		token, err := p.dec.Token()
		if err != nil {
			return unexpected(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if err := each(t.Name.Local, begin); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}

func (p *parser) root() error {
	for {
		token, err := p.dec.Token()
		if errors.Is(err, io.EOF) {
			return errors.New("no element; send one root element with periodictask children")
		}
		if err != nil {
			return err
		}
		if _, ok := token.(xml.StartElement); ok {
			return p.children(p.rootChild)
		}
	}
}

func (p *parser) rootChild(name string, _ int64) error {
	if name != "periodictask" {
		return p.skip()
	}
	if len(p.tasks) == maxTasks {
		return fmt.Errorf("more than %d tasks", maxTasks)
	}
	t := Description{}
	seen := map[string]bool{}
	err := p.children(func(name string, begin int64) error {
		if seen[name] {
			return p.skip()
		}
		seen[name] = true
		if name == "config" {
			err := p.skip()
			t.Config = bytes.Clone(p.text[begin:p.dec.InputOffset()])
			return err
		}
		text, err := p.content()
		t.set(name, text)
		return err
	})
	if t.Config == nil {
		t.Config = []byte("<config/>") // the original dies of a task without config
	}
	p.tasks = append(p.tasks, t)
	return err
}

func (t *Description) set(name, text string) {
	number := uint32(number(text))
	switch name {
	case "id":
		t.ID = number
	case "pkg":
		t.Pkg = text[:min(len(text), maxPkg)]
	case "quota":
		t.Quota = size(text)
	case "period":
		t.Period = number
	case "criticaltime":
		t.CriticalTime = number
	case "priority":
		t.Priority = number
	case "offset":
		t.Offset = number
	case "numberofjobs":
		t.NumberOfJobs = number
	}
}

// content returns the text of the element that was just opened and consumes the element.
func (p *parser) content() (string, error) {
	var text []byte
	depth := 1
	for depth > 0 {
		token, err := p.dec.Token()
		if err != nil {
			return "", unexpected(err)
		}
		switch t := token.(type) {
		case xml.CharData:
			if depth == 1 {
				text = append(text, t...)
			}
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return "", fmt.Errorf("more than %d nested elements", maxDepth)
			}
		case xml.EndElement:
			depth--
		}
	}
	return string(text), nil
}

func (p *parser) skip() error {
	_, err := p.content()
	return err
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
