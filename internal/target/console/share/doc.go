// Package share lets many people use one serial line at a time. It is pure: bytes and requests come as
// arguments, and what blocks ends with its context.
//
//	guest ──► Line.Write ──► backlog ──► Client.Next: output, and notices in between
//	guest ◄── Line.Take  ◄── input   ◄── Client.Write: of the one writer
//
// A Line belongs to one serial line and lives as long as the agent. The guest's output is always taken, with
// or without anybody who listens: Line.Write never blocks. The newest bytes are kept once, for all clients;
// a client is a place in them, so one that does not read costs no memory. What it misses is counted and
// told to it.
//
// One client writes. Another one that wants to waits for its turn, or takes it away. Input is bounded: when
// the guest does not read, Client.Write blocks, and with it whoever sends.
package share
