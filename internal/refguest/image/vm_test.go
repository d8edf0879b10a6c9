//go:build linux

package image

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience is for machines under emulation on a busy host.
const patience = 2 * time.Minute

// TestVirtualMachine boots the image named by REFGUEST_IMAGE (see "refguest image"), runs a task-set,
// freezes the guest, restores it from a snapshot, and runs another.
func TestVirtualMachine(t *testing.T) {
	dir := os.Getenv("REFGUEST_IMAGE")
	if dir == "" {
		t.Skip("REFGUEST_IMAGE names no folder: build one with 'refguest image --out DIR'")
	}
	for _, tool := range []string{"qemu-system-x86_64", "qemu-img", "gcc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s: apt-get install qemu-system-x86 qemu-utils gcc", tool)
		}
	}
	hey := compile(t)
	vm := boot(t, dir)
	const want = "START EXIT JOBS_DONE"
	if got := vm.session(t, hey); got != want {
		t.Errorf("events %s, want %s", got, want)
	}
	vm.hmp(t, "savevm ready")
	vm.command(t, "hang")
	if conn, err := net.DialTimeout("tcp", vm.taskloader, time.Second); err == nil {
		_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("a frozen guest answered")
		}
		conn.Close()
	}
	if status := vm.hmp(t, "info status"); !strings.Contains(status, "running") {
		t.Errorf("a frozen guest is not running for QEMU: %s", status)
	}
	vm.hmp(t, "loadvm ready")
	if got := vm.session(t, hey); got != want {
		t.Errorf("events after the restore %s, want %s", got, want)
	}
	vm.command(t, "exit")
	select {
	case <-vm.exited:
	case <-time.After(patience):
		t.Error("the machine does not power off")
	}
}

func compile(t *testing.T) []byte {
	t.Helper()
	out := t.TempDir()
	if msg, err := exec.Command("../../../test/tasks/build.sh", out).CombinedOutput(); err != nil {
		t.Fatalf("compile tasks: %v: %s", err, msg)
	}
	hey, err := os.ReadFile(filepath.Join(out, "hey"))
	if err != nil {
		t.Fatal(err)
	}
	return hey
}

type vm struct {
	taskloader, control string
	monitor             net.Conn
	replies             *bufio.Reader
	exited              chan struct{}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func boot(t *testing.T, dir string) *vm {
	t.Helper()
	tmp := t.TempDir()
	disk, socket := filepath.Join(tmp, "snap.qcow2"), filepath.Join(tmp, "mon")
	if msg, err := exec.Command("qemu-img", "create", "-q", "-f", "qcow2", disk, "64M").CombinedOutput(); err != nil {
		t.Fatalf("qemu-img: %v: %s", err, msg)
	}
	v := &vm{taskloader: freeAddress(t), control: freeAddress(t), exited: make(chan struct{})}
	cmd := exec.Command("qemu-system-x86_64", "-M", "q35", "-m", "128", "-accel", "tcg", "-nodefaults", "-no-user-config",
		"-display", "none", "-serial", "stdio", "-monitor", "unix:"+socket+",server=on,wait=off",
		"-kernel", filepath.Join(dir, KernelFile), "-initrd", filepath.Join(dir, InitrdFile),
		"-append", Append+" refguest.control=3002",
		"-netdev", fmt.Sprintf("user,id=n0,hostfwd=tcp:%s-:3001,hostfwd=tcp:%s-:3002", v.taskloader, v.control),
		"-device", "virtio-net-pci,netdev=n0,romfile=", "-drive", "if=none,id=snap,format=qcow2,file="+disk)
	serial, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	go func() {
		defer close(v.exited)
		lines := bufio.NewScanner(serial)
		for lines.Scan() {
			t.Log(lines.Text())
			if strings.Contains(lines.Text(), "refguest: ready, taskloader on port 3001") {
				close(ready)
			}
		}
		_ = cmd.Wait() // killed, or powered off
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-v.exited })
	select {
	case <-ready:
	case <-v.exited:
		t.Fatal("QEMU ended during the boot")
	case <-time.After(patience):
		t.Fatal("the guest is not ready")
	}
	v.monitor, err = net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.monitor.Close() })
	v.replies = bufio.NewReader(v.monitor)
	v.prompt(t)
	return v
}

func (v *vm) prompt(t *testing.T) string {
	t.Helper()
	_ = v.monitor.SetDeadline(time.Now().Add(patience))
	var got []byte
	for !bytes.HasSuffix(got, []byte("(qemu) ")) {
		b, err := v.replies.ReadByte()
		if err != nil {
			t.Fatalf("monitor: %v", err)
		}
		got = append(got, b)
	}
	return string(got)
}

func (v *vm) hmp(t *testing.T, command string) string {
	t.Helper()
	fmt.Fprintf(v.monitor, "%s\n", command)
	reply := v.prompt(t)
	if strings.Contains(reply, "Error") {
		t.Fatalf("%s: %s", command, reply)
	}
	return reply
}

func (v *vm) command(t *testing.T, command string) {
	t.Helper()
	conn := dial(t, v.control)
	defer conn.Close()
	fmt.Fprintln(conn, command)
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || line != "ok "+command+"\n" {
		t.Fatalf("control port: %q, %v", line, err)
	}
	time.Sleep(200 * time.Millisecond) // it acts after its answer, and then nobody is left to ask
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// session runs one job of a binary and returns the types of the events.
func (v *vm) session(t *testing.T, binaryContent []byte) string {
	t.Helper()
	conn := dial(t, v.taskloader)
	defer conn.Close()
	text := "<t><periodictask><pkg>hey</pkg><quota>1M</quota><config/><numberofjobs>1</numberofjobs></periodictask></t>"
	u32 := binary.LittleEndian.AppendUint32
	b := u32(u32(u32(nil, 0xDE6), 0xDE5), uint32(len(text)))
	b = u32(u32(append(b, text...), 0xDE5F11E), 1)
	b = append(append(b, "hey"...), make([]byte, 13)...)
	b = append(u32(b, uint32(len(binaryContent))), binaryContent...)
	if _, err := conn.Write(u32(b, 0x514DE5)); err != nil {
		t.Fatal(err)
	}
	var head [8]byte // GO_SEND and the length of the frame
	if _, err := io.ReadFull(conn, head[:]); err != nil || head[0] != 0x90 {
		t.Fatalf("answer % x, %v", head, err)
	}
	frame := make([]byte, binary.LittleEndian.Uint32(head[4:]))
	if _, err := io.ReadFull(conn, frame); err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, part := range strings.Split(string(frame), `type="`)[1:] {
		kind, _, _ := strings.Cut(part, `"`)
		types = append(types, kind)
	}
	return strings.Join(types, " ")
}
