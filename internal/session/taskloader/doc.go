// Package taskloader is the session class for targets that run Genode's taskloader behind a TCP port.
//
//	Connect ── [GET_PROFILE AVAILABLE] ──► idle
//	                                        │ Start: CLEAR SEND_DESCS SEND_BINARIES, a binary for each
//	                                        ▼        GO_SEND, START
//	                                     running ──► Next: pushed profile frames (2017: GET_LIVE polls)
//	                                        │ Stop: STOP, a query that is answered after it, drain
//	                                        ▼
//	                                       idle ── Close: STOP CLEAR FIN
//
// One reader cuts the stream into items and tells replies from pushed frames by the state of the
// session and by content, so a push that arrives where GO_SEND is due does no harm.
//
// # Binaries
//
// A binary is sent once per connection, and again only when its content changed, because targets keep
// binaries over CLEAR and lose them only when they restart, which ends the connection. A name that
// the target has seen with another content, on this connection or on an earlier one of the same
// Class, is never used again: targets keep the old memory for it. Such a binary gets a name with a
// part of its hash, such as "pi-3fa9c1", and the description refers to that. The same goes for a name
// under which a 1802 may hold only a part of the binary, because the connection was lost meanwhile.
//
// # Draining
//
// After STOP a target may still push the ends of jobs that it killed. Nothing is waited for when no
// job can be running. Otherwise the drain sends a query that the target answers after it has done the
// STOP (AVAILABLE on 1802, GET_LIVE elsewhere) and reads until every task is known to be at rest,
// until QuietAfterAnswer of silence once the query is answered, or until Quiet of silence.
//
// Targets let the jobs of a lost connection run on. The first Start of the next one ends them by its
// CLEAR, and what the target says about that may come when the new variant runs already: EXIT_EXTERNAL
// that nobody asked for is not an event of the variant.
//
// # Generations
//
// A declared generation is believed. Auto sends GET_PROFILE and AVAILABLE to the new connection and
// waits up to ProbeTimeout:
//
//	AVAILABLE comes back                  1802
//	an empty profile, no AVAILABLE        1608a: the others say nothing when their log is empty
//	neither                               1608b
//
// What cannot be told apart: a 1608a with something left in its log answers like 1608b, which only
// makes the checks before sending stricter; 2017 knows neither query and looks like 1608b until a job
// ends without a push, so 2017 has to be declared. An AVAILABLE that comes back late still makes the
// session 1802 from the next variant on.
//
// # Generation 2017
//
// It never pushes, and GET_PROFILE is not compiled in. Next polls GET_LIVE instead and makes events
// from the states of the tasks' threads: START from the first start time, and an end when every
// thread of the task is dead or gone. The exit value is not shown, so the type of an end is a guess:
// EXIT_EXTERNAL after Stop, EXIT_CRITICAL when the job took at least its critical time, EXIT otherwise.
// A job that begins and vanishes between two polls is not seen.
package taskloader
