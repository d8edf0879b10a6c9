//go:build linux

// Package boot is the reference guest from the kernel's point of view: PID 1 of an initramfs. It mounts
// what is needed, loads the modules, brings up the network and then serves.
//
// Parameters of the kernel command line (all optional):
//
//	refguest.address=10.0.2.15/24   static address instead of DHCP
//	refguest.gateway=10.0.2.2       with a static address
//	refguest.port=3001              port of the taskloader
//	refguest.control=3002           port of the misbehaviour on demand; absent: none
//	refguest.verbose=2              verbosity of the log, 0 to 4
package boot
