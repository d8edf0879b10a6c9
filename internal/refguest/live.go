package refguest

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// live renders the live frame: one element per task of the present description, nil without any.
// What a Genode kernel knows and this target does not is zero.
func (l *loader) live() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.tasks) == 0 {
		return nil
	}
	var b strings.Builder
	b.WriteString("<live>\n\t<task-descriptions>\n")
	for _, t := range l.tasks {
		l.liveTask(&b, t)
	}
	b.WriteString("\t</task-descriptions>\n</live>\n")
	return []byte(b.String())
}

// States of a thread in the live frame.
const (
	stateTraced = 2
	stateDead   = 5
)

func (l *loader) liveTask(b *strings.Builder, t *task) {
	state, usage := stateDead, Usage{}
	if t.job != nil {
		state, usage = stateTraced, t.job.Usage()
	}
	fmt.Fprintf(b, "\t\t<task id=\"%d\" foc_id=\"0\" execution-time=\"%d\" priority=\"%d\" core=\"0\" policy-id=\"0\" state=\"%d\"",
		t.ID, usage.CPU.Milliseconds(), t.Priority, state)
	fmt.Fprintf(b, " arrival-time=\"%d\" start-time=\"%d\" exit-time=\"%d\"", t.stamps[0], t.stamps[1], t.stamps[2])
	name := escape(t.name)
	fmt.Fprintf(b, " session=\"init -&gt; taskloader -&gt; %s\" thread=\"%s\" ram_quota=\"%d\" ram_used=\"%d\"/>\n",
		name, name, t.Quota>>10, usage.Memory>>10)
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // writing to a builder never fails
	return b.String()
}
