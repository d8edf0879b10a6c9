// Package console keeps the newest lines of a guest's serial console.
//
//	QEMU's standard output ──► Ring ──► Lines (diagnosis, console API)
//	                             ├────► Match (ready log pattern)
//	                             └────► Tee   (pod log)
//
// A guest may print anything: binary rubbish, terminal escapes, a gigabyte without a line break. What
// comes out of a Ring are lines of valid UTF-8 without control characters and of bounded length, and a
// Ring never holds more than its bound.
package console
