package faketarget

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Profile is a frame with events, as Genode's XML generator writes it.
func Profile(events ...Event) []byte {
	var b strings.Builder
	b.WriteString("<profile>\n\t<events>\n")
	for _, e := range events {
		fmt.Fprintf(&b, "\t\t<event type=\"%s\" task-id=\"%d\" time-stamp=\"%d\"/>\n", e.Type, e.ID, e.Stamp)
	}
	b.WriteString("\t</events>\n</profile>\n")
	return Frame(b.String())
}

// Frame puts the length before a text and a NUL behind it; the length counts the NUL.
func Frame(text string) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(text)+1)), text+"\x00"...)
}

// States of a thread in a live frame.
const (
	stateTraced = 2
	stateDead   = 5
)

// live is the frame that answers GET_LIVE.
func live(tasks []*task) []byte {
	var b strings.Builder
	b.WriteString("<live>\n\t<task-descriptions>\n")
	for i, t := range tasks {
		if t.jobs == 0 {
			continue // it has no thread yet
		}
		state := stateDead
		if t.running != nil {
			state = stateTraced
		}
		label := fmt.Sprintf("%02d.%s", t.ID, t.Pkg)
		fmt.Fprintf(&b, "\t\t<task id=\"%d\" foc_id=\"%d\" execution-time=\"0\" priority=\"%d\" core=\"1\" policy-id=\"0\" state=\"%d\"", i+1, i+1, t.Priority, state)
		fmt.Fprintf(&b, " arrival-time=\"%d\" start-time=\"%d\" exit-time=\"%d\" session=\"init -&gt; taskloader -&gt; %s\" thread=\"%s\" ram_quota=\"%d\" ram_used=\"0\"/>\n",
			t.began, t.began, t.ended, label, label, t.Quota>>10)
	}
	b.WriteString("\t</task-descriptions>\n</live>\n")
	return Frame(b.String())
}

// Malformation is a way in which a frame can be wrong.
type Malformation struct {
	Name string
	// Bytes to send, in place of a good frame or somewhere else.
	Bytes []byte
	// Silence: more has to come by the frame's own account, and does not.
	Silence bool
}

const begin, end = "<profile>\n\t<events>\n", "\t</events>\n</profile>\n"

// Malformations are the frames that no client can make sense of.
func Malformations() []Malformation {
	length := func(n uint32, text string) []byte { return append(binary.LittleEndian.AppendUint32(nil, n), text...) }
	good := string(Profile(Event{Type: "START", Stamp: 1}, Event{Type: "EXIT", Stamp: 2})[4:])
	return []Malformation{
		{Name: "length of zero", Bytes: length(0, "")},
		{Name: "length beyond memory", Bytes: length(0x7fffffff, good)},
		{Name: "negative length", Bytes: length(0xffffffff, good)},
		{Name: "length too short", Bytes: length(uint32(len(good)-20), good)},
		{Name: "length too long", Bytes: length(uint32(len(good)+20), good), Silence: true},
		{Name: "half a length", Bytes: []byte{0x9a, 0}, Silence: true},
		{Name: "no text", Bytes: length(1, "\x00")},
		{Name: "plain text", Bytes: Frame("segmentation fault")},
		{Name: "another protocol", Bytes: []byte("HTTP/1.1 400 Bad Request\r\n\r\n")},
		{Name: "random bytes", Bytes: []byte("\x13\x37\xca\xfe\xde\xad\xbe\xef\x00\x01\x02\x03\xff\xfe\xfd\xfc")},
		{Name: "another root", Bytes: Frame("<taskset></taskset>\n")},
		{Name: "no end tag", Bytes: Frame(begin)},
		{Name: "crossed tags", Bytes: Frame("<profile>\n\t<events>\n\t</profile>\n</events>\n")},
		{Name: "broken attribute", Bytes: Frame(begin + "\t\t<event type=\"EXIT task-id=0/>\n" + end)},
		{Name: "id that is no number", Bytes: Frame(begin + "\t\t<event type=\"EXIT\" task-id=\"zero\" time-stamp=\"1\"/>\n" + end)},
		{Name: "stamp that is no number", Bytes: Frame(begin + "\t\t<event type=\"EXIT\" task-id=\"0\" time-stamp=\"soon\"/>\n" + end)},
		{Name: "stamp beyond 64 bits", Bytes: Frame(begin + "\t\t<event type=\"EXIT\" task-id=\"0\" time-stamp=\"99999999999999999999\"/>\n" + end)},
		{Name: "bytes that are not UTF-8", Bytes: Frame(begin + "\t\t<event type=\"\xff\xfe\" task-id=\"0\" time-stamp=\"1\"/>\n" + end)},
		{Name: "NUL inside", Bytes: Frame("<profile>\n\t<eve\x00nts>\n" + end)},
		{Name: "endless depth", Bytes: Frame(strings.Repeat("<profile>", 1000) + strings.Repeat("</profile>", 1000))},
	}
}

// Oddities are frames that are strange but sound: a client has to skip what it does not know.
func Oddities() []Malformation {
	stale := "<profile><events></events></profile>\n=\"9\"/>\n\t</events>\n</profile>\n"
	return []Malformation{
		{Name: "no events", Bytes: Profile()},
		{Name: "no events element", Bytes: Frame("<profile/>\n")},
		{Name: "tail of an older document", Bytes: Frame(stale)},
		{Name: "unknown type", Bytes: Profile(Event{Type: "DANCED", ID: 0, Stamp: 1})},
		{Name: "unknown id", Bytes: Profile(Event{Type: "EXIT", ID: 4711, Stamp: 1})},
		{Name: "no type", Bytes: Frame(begin + "\t\t<event task-id=\"0\" time-stamp=\"1\"/>\n" + end)},
		{Name: "no attributes", Bytes: Frame(begin + "\t\t<event/>\n" + end)},
		{Name: "external event", Bytes: Frame(begin + "\t\t<event type=\"EXTERNAL\" task-id=\"-1\" time-stamp=\"1\"/>\n" + end)},
		{Name: "unknown elements", Bytes: Frame("<profile>\n\t<task-descriptions><task id=\"0\"/></task-descriptions>\n\t<events><snapshot/></events>\n</profile>\n")},
		{Name: "live frame that nobody asked for", Bytes: Frame("<live>\n\t<task-descriptions>\n\t</task-descriptions>\n</live>\n")},
	}
}
