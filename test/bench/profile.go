package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
)

// profiled runs a part and leaves PART.cpu and PART.heap in the folder, for "go tool pprof"; without a folder it
// only runs it.
func profiled(folder, part string, run func() error) (err error) {
	if folder == "" {
		return run()
	}
	cpu, err := os.Create(filepath.Join(folder, part+".cpu"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cpu.Close()) }()
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return err
	}
	err = run()
	pprof.StopCPUProfile()
	runtime.GC()
	heap, errHeap := os.Create(filepath.Join(folder, part+".heap"))
	if errHeap != nil {
		return errors.Join(err, errHeap)
	}
	return errors.Join(err, pprof.WriteHeapProfile(heap), heap.Close())
}
