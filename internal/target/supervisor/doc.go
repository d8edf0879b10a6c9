// Package supervisor keeps one guest alive. It starts QEMU, waits until the guest is up, takes a snapshot
// and proves that the guest survives a restore, watches its echoes, and brings it back when they end.
//
//	         first echo      log line, port     quiet           restored and answered
//	launching ─────► booting ────► gating ────► settling ► saving ► proving ────► serving
//	    ▲               ▲                                              │ no answer   │ unhealthy
//	    │               └───────────── reset ◄─────────────────────────┘             ▼
//	    │               ▲                                                        diagnosing
//	    │ Relaunch      │ Reset                         Restore                      │
//	    └───────────────┴────────────────────── recovering ◄─────────────────────────┘
//	                                                 │ no step left
//	                                                 ▼
//	                                                lost: only a new pod helps
//
// One goroutine owns a value, state. It feeds one event after the other (an echo, an event of QEMU, the
// end of a command, a request, the time) to the pure function decide, keeps the state that comes back,
// and carries out the actions that come with it. Whatever takes time runs beside it and reports with an
// event, so that the loop always turns.
package supervisor
