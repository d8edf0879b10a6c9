//go:build linux

// Command refguest is the reference target: PID 1 of a small virtual machine, the same server as a
// plain process, and the builder of the virtual machine's kernel and initramfs.
//
//	refguest serve   the taskloader server as a process
//	refguest image   build vmlinuz and initrd.gz on a Debian machine
package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/genode-operator/genode-operator/internal/refguest/boot"
	"github.com/genode-operator/genode-operator/internal/refguest/process"
)

func init() { runtime.LockOSThread() } // main stays on the thread whose priority others set

func main() {
	if len(os.Args) == 3 && os.Args[1] == process.SpinCommand {
		fmt.Fprintln(os.Stderr, "refguest spin:", process.Spin(os.Args[2]))
		os.Exit(1)
	}
	// The kernel hands over what it does not know of its command line, so the arguments say nothing here.
	if os.Getpid() == 1 && os.Args[0] == "/init" {
		runtime.UnlockOSThread()
		boot.Run(console, os.Stdout)
	}
	runtime.UnlockOSThread()
	if err := root().Execute(); err != nil {
		os.Exit(1) // cobra has said why
	}
}
