// Package qmp is a client of the QEMU Machine Protocol.
//
// Everything has a deadline: connecting with greeting and capabilities together, and each command. A
// command that times out harms no other one: answers are told apart by their id, and a late one is
// dropped. What cannot be read as QMP ends the connection.
package qmp
