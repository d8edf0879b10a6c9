// Package qemu runs one QEMU virtual machine: the machine presets and their command lines, the process,
// and what can be done to the machine while it runs.
//
//	Config ──► Command (pure) ──► Start ──► VM ──► Reset, Stop, Cont, SaveSnapshot, … ──► Kill
//
// A preset holds the flags that the images of a board rely on; they belong together, because a board's
// images compile many of them in, and a wrong one often gives no output at all. A VM never outlives its
// parent process: the kernel kills QEMU when the process that started it dies, however it dies.
//
// The package needs QEMU 7.2 or later (-netdev stream, snapshot jobs).
package qemu
