package faketarget

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
)

// Task is one periodictask element. Times are milliseconds.
type Task struct {
	ID           uint32
	Pkg          string
	Quota        uint64 // bytes
	Priority     uint32
	Period       uint32
	CriticalTime uint32
	Deadline     uint32
	Offset       uint32
	NumberOfJobs uint32
	Caps         uint32
	Elements     map[string]string // every direct child by name, its inner XML
}

// parse reads a description. Everything that an original dies of is an error: no element, tags that do
// not match, and a task without config.
func parse(text string) ([]Task, error) {
	var root struct {
		XMLName xml.Name
		Tasks   []struct {
			Children []struct {
				XMLName xml.Name
				Inner   string `xml:",innerxml"`
			} `xml:",any"`
		} `xml:"periodictask"`
	}
	d := xml.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&root); err != nil {
		return nil, fmt.Errorf("description of %d bytes: %w", len(text), err)
	}
	var tasks []Task
	for _, element := range root.Tasks {
		t := Task{Elements: map[string]string{}}
		for _, child := range element.Children {
			if _, twice := t.Elements[child.XMLName.Local]; !twice {
				t.Elements[child.XMLName.Local] = child.Inner
			}
		}
		if _, there := t.Elements["config"]; !there {
			return nil, errors.New("a task has no config")
		}
		t.numbers()
		tasks = append(tasks, t)
	}
	return tasks, nil
}

func (t *Task) numbers() {
	for name, field := range map[string]*uint32{
		"id": &t.ID, "priority": &t.Priority, "period": &t.Period, "criticaltime": &t.CriticalTime,
		"deadline": &t.Deadline, "offset": &t.Offset, "numberofjobs": &t.NumberOfJobs, "caps": &t.Caps,
	} {
		n, _ := digits(t.Elements[name])
		*field = uint32(n)
	}
	quota, rest := digits(t.Elements["quota"])
	t.Quota = quota << map[string]int{"K": 10, "M": 20, "G": 30}[rest[:min(len(rest), 1)]]
	t.Pkg = t.Elements["pkg"][:min(len(t.Elements["pkg"]), 31)]
}

// digits reads decimal digits up to the first other character; no digit is 0.
func digits(text string) (n uint64, rest string) {
	for text != "" && text[0] >= '0' && text[0] <= '9' {
		n = n*10 + uint64(text[0]-'0')
		text = text[1:]
	}
	return n, text
}
