// Package campaign says who runs what when. An Engine holds the campaigns that run and one worker for
// each target that they may use.
//
//	campaign ──┐                          ┌── worker ── session ── target
//	campaign ──┼── Ledger: lease ────────►┼── worker ── session ── target
//	campaign ──┘     ▲                    └── worker ── session ── target
//	                 └── record, then done ◄──┘
//
// Work is pulled: a worker whose target is ready takes the next variant of the next campaign. The
// record of an attempt is in the store before the ledger hears of it, and the ledger is rebuilt from
// the store when the engine starts, so a crash at any line loses no finished variant and records none
// twice.
package campaign
