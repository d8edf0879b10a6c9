// Package campaign says who runs what when. An Engine holds the campaigns that run and one worker for
// each target that they may use.
//
//	campaign ──┐                      order   ┌── worker ── line ── session ── target
//	campaign ──┼── ledger ── shares ─────────►┼── worker ── line ── session ── target
//	campaign ──┘     ▲      quarantine        └── worker ── line ── session ── target
//	                 │                                │ record
//	                 └── done ◄── writer ── store ◄───┘
//
// Work is pulled: a worker whose target is ready takes an order, which is a few variants of the campaign whose
// turn it is. The record of an attempt goes to the writer of its campaign while the target is at the next variant.
// It is in the store before the ledger hears of it, and the ledger is rebuilt from the store when the engine
// starts, so a crash at any line loses no finished variant and records none twice.
//
// Pure are the ledger (with retry.go), shares, quarantine, survey and the tracker in jobs.go: they decide.
package campaign
