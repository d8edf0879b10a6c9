// Package schedulability says of a variant, before it is run, whether its tasks meet their deadlines; and
// afterwards, whether what was measured agrees with that. It is pure.
//
//	tasks ──► tests of package analysis ──► Verdict ──► accepted, or not
//	                                           │
//	jobs that have run ────────────────────────┴──► disagreement, or none
//
// A verdict can only be wrong about the policy that the target has. Other tests, such as those of optimal schedulers, can be
// asked for as well: they decide whether a variant is accepted, and nothing that is measured contradicts them.
//
// Times are whole milliseconds, as tasks have them. Tasks count as sporadic ones: offsets, numbers of jobs and places
// are not looked at.
package schedulability
