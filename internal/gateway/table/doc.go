// Package table is the table of offloaded network sessions: who talks to whom, what is done with their
// packets, how many there were, and how it ended. It is pure: time is an argument, and nothing here touches a
// packet. A Table is not safe for concurrent use.
//
// A session is known by its id and by its tuple. It is open until it is closed or deleted:
//
//	Add ──► Established ──► Closing1 ──► Closing2 ──► Closed ──► Take, once
//	             │              │            │          ▲
//	             └── reset, idle or lost ────┴──────────┘
//	Delete takes a session out in any of these; its answer is the session's report.
//
// A closed session takes no place any more, and its id and tuple are free. It waits to be reported by Take; what
// the one who took it did not get to deliver goes back by Return.
package table
