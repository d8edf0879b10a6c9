package qemu

import (
	"flag"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

// example is a valid configuration of a preset.
func example(preset string) Config {
	return Config{
		Preset: preset, Boot: Boot{Kernel: "/images/image.elf"},
		MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, Dir: "/run/vm", NetSocket: "/run/net.sock",
	}
}

func TestCommandLines(t *testing.T) {
	with := func(preset string, change func(*Config)) Config {
		c := example(preset)
		change(&c)
		return c
	}
	tests := map[string]Config{
		"pc-iso":  with("pc", func(c *Config) { c.Boot = Boot{ISO: "/images/a,b.iso"}; c.Snapshots = true }),
		"pc-disk": with("pc", func(c *Config) { c.Boot = Boot{Disk: "/images/disk.img"} }),
		"pc-multiboot": with("pc", func(c *Config) {
			c.Boot = Boot{Kernel: "/images/bender", Initrd: "/images/image.elf", Append: "serial, or so"}
		}),
		"pc-kvm": with("pc", func(c *Config) { c.KVM = true }),
		"pc-overrides": with("pc", func(c *Config) {
			c.Overrides = Overrides{Machine: "q35,hpet=off", CPU: "max,-avx", CPUs: 2, MemoryMiB: 256, NIC: "virtio-net-pci", NICOptions: "vectors=0"}
			c.Binary = "/opt/qemu/bin/qemu"
		}),
		"virt-arm64-other-card": with("virt-arm64", func(c *Config) { c.Overrides.NIC = "virtio-net-pci" }),
		"virt-arm64-other-bus":  with("virt-arm64", func(c *Config) { c.Overrides.NICOptions = "bus=virtio-mmio-bus.3,mq=off" }),
		"linux-x86-disk":        with("linux-x86", func(c *Config) { c.Boot = Boot{Disk: "/images/d", DiskFormat: "qcow2"}; c.Snapshots = true }),
	}
	for _, p := range Presets() {
		tests[p.Name] = example(p.Name)
	}
	for name, cfg := range tests {
		t.Run(name, func(t *testing.T) {
			path, args, err := Command(cfg)
			if err != nil {
				t.Fatal(err)
			}
			got := path + "\n" + strings.Join(args, "\n") + "\n"
			golden := filepath.Join("testdata", name+".args")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v; make it with go test -update", err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("arguments (-want +got); after a wanted change: go test -update\n%s", diff)
			}
		})
	}
}

func TestCommandErrors(t *testing.T) {
	tests := map[string]struct {
		change func(*Config)
		want   []string
	}{
		"unknown preset":            {func(c *Config) { c.Preset = "vax" }, []string{`preset: "vax" is unknown`, "pc, virt-arm64, virt-arm, pbxa9, virt-riscv64, linux-x86"}},
		"no boot source":            {func(c *Config) { c.Boot = Boot{} }, []string{"boot: 0 of kernel, iso and disk"}},
		"two boot sources":          {func(c *Config) { c.Boot.ISO = "/x" }, []string{"boot: 2 of kernel, iso and disk"}},
		"initrd without kernel":     {func(c *Config) { c.Boot = Boot{ISO: "/x", Initrd: "/y"} }, []string{"initrd and append need a kernel"}},
		"append without kernel":     {func(c *Config) { c.Boot = Boot{ISO: "/x", Append: "y"} }, []string{"initrd and append need a kernel"}},
		"relative path":             {func(c *Config) { c.Boot = Boot{Disk: "nbd:host:1"} }, []string{`boot.disk: "nbd:host:1" is not an absolute path`}},
		"path with a line break":    {func(c *Config) { c.Boot.Kernel = "/a\nb" }, []string{"boot.kernel", "line break"}},
		"initrd with a comma":       {func(c *Config) { c.Boot.Initrd = "/a,b" }, []string{"boot.initrd", "rename it"}},
		"append with a zero byte":   {func(c *Config) { c.Boot.Append = "a\x00b" }, []string{"boot.append"}},
		"unknown disk format":       {func(c *Config) { c.Boot = Boot{Disk: "/d", DiskFormat: "vmdk"} }, []string{"boot.diskFormat", "raw or qcow2"}},
		"no MAC":                    {func(c *Config) { c.MAC = nil }, []string{"mac:", "02:00:00:00:00:01"}},
		"multicast MAC":             {func(c *Config) { c.MAC = net.HardwareAddr{1, 0, 0, 0, 0, 1} }, []string{"mac:"}},
		"no network socket":         {func(c *Config) { c.NetSocket = "" }, []string{"netSocket: it is missing"}},
		"folder too long":           {func(c *Config) { c.Dir = "/" + strings.Repeat("x", 120) }, []string{"dir:", "Linux allows 107"}},
		"relative folder":           {func(c *Config) { c.Dir = "vm" }, []string{"dir:", "not an absolute path"}},
		"disk on ARM":               {func(c *Config) { c.Preset, c.Boot = "virt-arm64", Boot{Disk: "/d"} }, []string{"preset virt-arm64 boots kernels only"}},
		"KVM on ARM":                {func(c *Config) { c.Preset, c.KVM = "virt-arm64", true }, []string{"kvm: preset virt-arm64 runs under TCG only"}},
		"another card on pbxa9":     {func(c *Config) { c.Preset, c.Overrides.NIC = "pbxa9", "e1000" }, []string{"overrides.nic: preset pbxa9", "lan9118"}},
		"card with options in it":   {func(c *Config) { c.Overrides.NIC = "e1000,mac=x" }, []string{"overrides.nic:"}},
		"card option that is ours":  {func(c *Config) { c.Overrides.NICOptions = "vectors=0,netdev=n1" }, []string{`overrides.nic: "netdev" cannot be set here`}},
		"card option with a path":   {func(c *Config) { c.Overrides.NICOptions = "x=/etc/passwd" }, []string{"overrides.nic:", "key=value"}},
		"machine with accelerator":  {func(c *Config) { c.Overrides.Machine = "q35,accel=kvm" }, []string{`overrides.machine: "accel" cannot be set here`}},
		"machine that dumps a file": {func(c *Config) { c.Overrides.Machine = "q35,dumpdtb=x" }, []string{`"dumpdtb" cannot be set here`}},
		"machine by its type":       {func(c *Config) { c.Overrides.Machine = "type=q35" }, []string{"overrides.machine:", "plain name"}},
		"empty machine option":      {func(c *Config) { c.Overrides.Machine = "q35,,x" }, []string{"overrides.machine:", "key=value"}},
		"CPU with a space":          {func(c *Config) { c.Overrides.CPU = "max -kernel" }, []string{"overrides.cpu:"}},
		"CPU that is a flag":        {func(c *Config) { c.Overrides.CPU = "-kernel" }, []string{"overrides.cpu:"}},
		"negative CPUs":             {func(c *Config) { c.Overrides.CPUs = -1 }, []string{"overrides.cpus: -1"}},
		"too much memory":           {func(c *Config) { c.Overrides.MemoryMiB = 1<<20 + 1 }, []string{"overrides.memoryMiB"}},
		"several at once": {func(c *Config) { c.MAC, c.NetSocket, c.Overrides.CPUs = nil, "", 65 },
			[]string{"mac:", "netSocket:", "overrides.cpus:"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := example("pc")
			tc.change(&cfg)
			_, args, err := Command(cfg)
			if err == nil {
				t.Fatalf("no error; arguments %q", args)
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not hold %q", err, want)
				}
			}
		})
	}
}

// What users may write into overrides must not make an option of its own.
func FuzzOverrides(f *testing.F) {
	f.Add("q35,hpet=off", "max,+avx", "e1000", "vectors=0")
	f.Add("q35,accel=kvm", "-S", "e1000,id=x", "mac=1\n")
	f.Fuzz(func(t *testing.T, machine, cpu, nic, options string) {
		cfg := example("pc")
		_, plain, _ := Command(cfg)
		cfg.Overrides = Overrides{Machine: machine, CPU: cpu, NIC: nic, NICOptions: options}
		_, args, err := Command(cfg)
		if err != nil {
			return
		}
		if len(args) != len(plain) {
			t.Fatalf("%d arguments instead of %d: %q", len(args), len(plain), args)
		}
		for i, arg := range args {
			if strings.HasPrefix(plain[i], "-") != strings.HasPrefix(arg, "-") || strings.ContainsAny(arg, "\n \x00") && arg != plain[i] {
				t.Fatalf("argument %q instead of %q", arg, plain[i])
			}
			if strings.Count(arg, "netdev=") > 1 || strings.Count(arg, "mac=") > 1 {
				t.Fatalf("argument %q sets what is ours", arg)
			}
		}
	})
}
