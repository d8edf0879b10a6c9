// Package gateway keeps the network sessions of one target: which there are, what is done with their packets, how much
// went through them, and how they ended.
//
// The truth is in a table (package table); packets are handled by a Backend, which is told what to do and reports what it
// sees. Gateway joins the two: it gives every change a turn of its own, closes what has been silent for too long, and
// hands closed sessions to whoever asks for them.
//
//	client ──► server (dialects) ──► Gateway ──► table
//	                                    │  ▲
//	                          Add, Delete  reports
//	                                    ▼  │
//	                                  Backend ──► packets
package gateway
