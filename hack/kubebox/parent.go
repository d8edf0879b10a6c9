package main

import (
	"fmt"
	"os"
	"time"
)

// exitWithParent is the variable by which a parent asks this process not to outlive it, however
// the parent ends: a test binary that panics or is killed stops nothing by itself.
const exitWithParent = "KUBEBOX_EXIT_WITH_PARENT"

const parentInterval = 500 * time.Millisecond

// watchParent ends this process soon after its parent has ended, if it was asked to. The number
// of the parent is polled, since the kernel's signal for it follows the parent's thread instead.
func watchParent() {
	if os.Getenv(exitWithParent) == "" {
		return
	}
	parent := os.Getppid()
	go func() {
		for os.Getppid() == parent {
			time.Sleep(parentInterval)
		}
		fmt.Fprintln(os.Stderr, "kubebox: the process that started this one has ended; ending too")
		os.Exit(1)
	}()
}
