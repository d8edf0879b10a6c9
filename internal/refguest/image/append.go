package image

import "strings"

// Append is the recommended kernel command line for QEMU under TCG. More parameters
// (refguest.control=3002, refguest.address=..., ...) go behind it.
var Append = strings.Join([]string{
	"console=ttyS0", "quiet",
	"panic=-1",                       // a panic restarts the machine at once; 0 would leave it lying
	"tsc=unstable", "no_timer_check", // the emulated time stamp counter is no clock; nothing to calibrate
	"lpj=4000000",                                 // nor a delay loop
	"nokaslr", "mitigations=off", "noreplace-smp", // nothing to hide, and less code to patch
	"cryptomgr.notests",             // a quarter of a second of self-tests under emulation
	"init_on_alloc=0", "apparmor=0", // work without a use here
}, " ")
