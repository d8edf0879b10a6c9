// Package image builds the reference guest's virtual machine on a Debian machine: vmlinuz, Debian's
// cloud kernel, and initrd.gz, the refguest binary as init with the few modules that it needs.
//
//	apt-get download ──► .deb ──► kernel, modules ─┐
//	refguest (static) ─────────────────────────────┴─► cpio ──► OUT/{vmlinuz,initrd.gz,stamp}
//
// Nothing of it needs root. What is up to date is not built again.
package image
