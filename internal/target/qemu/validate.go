package qemu

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// maxSocketPath is what fits into a unix socket's address on Linux.
const maxSocketPath = 107

// The characters that overrides may consist of. None of them has a meaning for QEMU but comma and
// equals sign, which are looked at item by item.
var (
	word  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)
	value = regexp.MustCompile(`^[A-Za-z0-9_.+-]*$`)
)

// reserved are the options that an override must not set: they belong to this package, or name files.
var reserved = map[string][]string{
	"machine": {"type", "accel", "kernel", "initrd", "append", "dtb", "dumpdtb", "firmware", "bios", "shmem-dir", "memory-backend", "smp", "memory"},
	"cpu":     {},
	"nic":     {"netdev", "mac", "macaddr", "id", "driver", "romfile"},
}

// validate checks everything that does not need the preset. Errors name the field.
func (c Config) validate() error {
	return errors.Join(
		c.Overrides.validate(),
		c.Boot.validate(),
		socketPath("dir", c.qmpSocket()),
		socketPath("netSocket", c.NetSocket),
		c.validateMAC(),
	)
}

func (c Config) validateMAC() error {
	if len(c.MAC) != 6 || c.MAC[0]&1 != 0 {
		return fmt.Errorf("mac: %q is not the address of a single card; give six bytes with an even first one, for example 02:00:00:00:00:01", c.MAC)
	}
	return nil
}

func (o Overrides) validate() error {
	return errors.Join(
		optionList("machine", o.Machine, true),
		optionList("cpu", o.CPU, true),
		optionList("nic", o.NICOptions, false),
		model(o.NIC),
		bounds("cpus", o.CPUs, 64),
		bounds("memoryMiB", o.MemoryMiB, 1<<20),
	)
}

func model(nic string) error {
	if nic != "" && !word.MatchString(nic) {
		return fmt.Errorf("overrides.nic: %q is not the name of a network card; use letters, digits, '.', '_' and '-' only", nic)
	}
	return nil
}

func bounds(field string, n, most int) error {
	if n < 0 || n > most {
		return fmt.Errorf("overrides.%s: %d is not in the range 1 to %d (0 keeps the preset's)", field, n, most)
	}
	return nil
}

// optionList checks an argument of the form name,key=value,… (named) or key=value,….
func optionList(field, list string, named bool) error {
	if list == "" {
		return nil
	}
	for i, item := range strings.Split(list, ",") {
		key, val, _ := strings.Cut(item, "=")
		first := named && i == 0
		switch {
		case first && !word.MatchString(item):
			return fmt.Errorf("overrides.%s: %q does not start with a plain name; use for example \"q35\" or \"max\"", field, list)
		case !first && !word.MatchString(strings.TrimLeft(key, "+-")), !value.MatchString(val):
			return fmt.Errorf("overrides.%s: %q is not of the form key=value with letters, digits, '.', '_', '+' and '-'", field, item)
		case !first && slices.Contains(reserved[field], key):
			return fmt.Errorf("overrides.%s: %q cannot be set here; leave it out", field, key)
		}
	}
	return nil
}

func (b Boot) validate() error {
	sources := 0
	for _, path := range []string{b.Kernel, b.ISO, b.Disk} {
		if path != "" {
			sources++
		}
	}
	switch {
	case sources != 1:
		return fmt.Errorf("boot: %d of kernel, iso and disk are given; give exactly one", sources)
	case b.Kernel == "" && (b.Initrd != "" || b.Append != ""):
		return errors.New("boot: initrd and append need a kernel; leave them out or give boot.kernel")
	case !slices.Contains([]string{"", "raw", "qcow2"}, b.DiskFormat):
		return fmt.Errorf("boot.diskFormat: %q is unknown; use raw or qcow2", b.DiskFormat)
	case strings.ContainsAny(b.Initrd, ", "):
		return fmt.Errorf("boot.initrd: %q has a comma or space, which multiboot takes for the end of the path; rename it", b.Initrd)
	case strings.ContainsRune(b.Append, 0):
		return errors.New("boot.append: it holds a zero byte; remove it")
	}
	return errors.Join(
		filePath("boot.kernel", b.Kernel), filePath("boot.initrd", b.Initrd),
		filePath("boot.iso", b.ISO), filePath("boot.disk", b.Disk),
	)
}

// filePath checks a path that may be empty. An absolute path is needed also because QEMU would take
// what comes before a colon for a protocol.
func filePath(field, path string) error {
	if path == "" {
		return nil
	}
	if !filepath.IsAbs(path) {
		return fmt.Errorf("%s: %q is not an absolute path", field, path)
	}
	if strings.ContainsAny(path, "\x00\n\r") {
		return fmt.Errorf("%s: %q holds a line break or a zero byte; rename the file", field, path)
	}
	return nil
}

func socketPath(field, path string) error {
	if path == "" {
		return fmt.Errorf("%s: it is missing; give an absolute path", field)
	}
	if len(path) > maxSocketPath {
		return fmt.Errorf("%s: the socket %q has %d bytes, and Linux allows %d; use a shorter folder", field, path, len(path), maxSocketPath)
	}
	return filePath(field, path)
}
