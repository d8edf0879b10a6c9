package taskset

import (
	"bytes"
	"strconv"
	"strings"
)

// Description renders tasks as the XML document that a taskloader reads. Every task has its config
// element, because taskloaders die without one. There is no XML declaration, no final newline and no
// NUL. The tasks are taken as they are: see Check.
func Description(tasks []Task) []byte { return DescriptionWithGoal(tasks, nil) }

// DescriptionWithGoal is a Description that tells a target of generation 1608b what its optimizer is to work
// for; nil says nothing about that.
func DescriptionWithGoal(tasks []Task, a *Admission) []byte {
	w := writer{}
	w.open(0, "taskset")
	if a != nil {
		w.goal(1, *a)
	}
	for _, t := range tasks {
		w.task(t)
	}
	w.close(0, "taskset")
	return w.trimmed()
}

// QuotaText is a quota as the taskloader reads it: with the largest suffix (G, M or K) that is exact.
func QuotaText(bytes uint64) string {
	for _, unit := range []struct {
		shift  uint
		suffix string
	}{{30, "G"}, {20, "M"}, {10, "K"}} {
		if n := bytes >> unit.shift; n > 0 && n<<unit.shift == bytes {
			return strconv.FormatUint(n, 10) + unit.suffix
		}
	}
	return strconv.FormatUint(bytes, 10)
}

type writer struct{ buf bytes.Buffer }

// trimmed is the document without its last newline.
func (w *writer) trimmed() []byte { return bytes.TrimSuffix(w.buf.Bytes(), []byte("\n")) }

func (w *writer) task(t Task) {
	w.open(1, "periodictask")
	w.leaf(2, "id", strconv.Itoa(t.ID))
	w.number("priority", t.Priority)
	w.leaf(2, "quota", QuotaText(t.Quota))
	w.leaf(2, "pkg", t.Pkg)
	w.node(2, ConfigNode{Name: "config", Children: t.Config})
	w.number("period", t.Period)
	w.number("numberofjobs", t.NumberOfJobs)
	w.numberIfSet("caps", t.Caps)
	w.numberIfSet("coreoffset", t.CoreOffset)
	w.numberIfSet("cores", t.Cores)
	w.number("criticaltime", t.CriticalTime)
	w.numberIfSet("deadline", t.Deadline)
	w.number("executiontime", t.ExecutionTime)
	w.numberIfSet("offset", t.Offset)
	w.close(1, "periodictask")
}

func (w *writer) number(name string, value uint32) {
	w.leaf(2, name, strconv.FormatUint(uint64(value), 10))
}

func (w *writer) numberIfSet(name string, value uint32) {
	if value != 0 {
		w.number(name, value)
	}
}

func (w *writer) node(depth int, n ConfigNode) {
	if len(n.Children) == 0 {
		w.leaf(depth, n.Name, n.Text)
		return
	}
	w.open(depth, n.Name)
	for _, child := range n.Children {
		w.node(depth+1, child)
	}
	w.close(depth, n.Name)
}

func (w *writer) open(depth int, name string) {
	w.indent(depth)
	w.buf.WriteString("<" + name + ">\n")
}

func (w *writer) close(depth int, name string) {
	w.indent(depth)
	w.buf.WriteString("</" + name + ">\n")
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")

func (w *writer) leaf(depth int, name, text string) {
	w.indent(depth)
	w.buf.WriteString("<" + name + ">" + escaper.Replace(text) + "</" + name + ">\n")
}

func (w *writer) indent(depth int) {
	for range depth {
		w.buf.WriteByte('\t')
	}
}
