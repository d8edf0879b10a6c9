package refguest

import "strconv"

// Event types of generation 1608b.
const (
	eventStart        = "START"
	eventExit         = "EXIT"
	eventExitCritical = "EXIT_CRITICAL"
	eventExitExternal = "EXIT_EXTERNAL"
	eventExitPeriod   = "EXIT_PERIOD"
	eventExitError    = "EXIT_ERROR"
	eventOutOfQuota   = "OUT_OF_QUOTA"
	eventNotScheduled = "NOT_SCHEDULED"
	eventJobsDone     = "JOBS_DONE"
)

// event is one entry of the event log. Stamp is milliseconds since the server started.
type event struct {
	kind  string
	id    uint32
	stamp uint32
}

// maxEvents bounds the event log; the oldest entries go first. It is reached only by a client that
// does not read, and keeps a frame below 10 MiB.
const maxEvents = 100_000

// profile renders events as Genode's XML generator does: tabs, one newline at the end, no declaration.
func profile(events []event) []byte {
	b := make([]byte, 0, 43+len(events)*72)
	b = append(b, "<profile>\n\t<events>\n"...)
	for _, e := range events {
		b = append(b, "\t\t<event type=\""...)
		b = append(b, e.kind...)
		b = append(b, "\" task-id=\""...)
		b = strconv.AppendUint(b, uint64(e.id), 10)
		b = append(b, "\" time-stamp=\""...)
		b = strconv.AppendUint(b, uint64(e.stamp), 10)
		b = append(b, "\"/>\n"...)
	}
	return append(b, "\t</events>\n</profile>\n"...)
}
