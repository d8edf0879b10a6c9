// Package addresstarget keeps in view the targets that the operator does not run itself: boards and other
// people's virtual machines at an address (classes Ping and Genode), and those that need nobody: simulated
// ones (class SimSo), and the dry run, which has no target at all (class Stdio). TargetSessions of class Qemu belong to package targetsession.
//
//	           first answer                     no answer for echoTimeout (Ping),
//	Pending ────────────────► Ready (Reachable) ─────────────────────────────────► Unreachable
//	   │                          ▲             or connection refused (Genode)          │
//	   │ older TargetSession      └──────────────────── answers again ──────────────────┘
//	   ▼ with the same address
//	AddressTaken
//
// A target of class Ping is sent an echo request every echoInterval. One of class Genode is connected to,
// which costs the taskloader some memory each time: seldom while it answers, and never while a session is
// open, because the session notices its loss by itself. Nothing here can repair such a target.
//
// Conditions (all written here, and nowhere else, for these classes):
//
//	GuestAlive  Reachable, Unreachable, AddressTaken, Pending, or Invalid (a simulation that cannot be)
//	Ready       follows from GuestAlive; a dry run is always ready, and so is a simulated target
package addresstarget
