// Package console tests the serial console from outside: a real agent, a real QEMU, and a guest that prints
// a line when it has booted, and then whatever it reads.
package console

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// greeting is what the guest prints first.
const greeting = "the guest is up\r\n"

// echoGuest is a boot sector for a PC: it prints the greeting to the first serial port, and then each byte
// that it reads there. It uses no interrupts and no memory: what gets lost was lost before.
//
//	      cli                      loop: mov dx, 0x3fd       putc: mov ah, al
//	      xor ax, ax                     in al, dx                 mov dx, 0x3fd
//	      mov ds, ax                     test al, 1          wait: in al, dx
//	      mov ss, ax                     jz loop                   test al, 0x20
//	      mov sp, 0x7c00                 mov dx, 0x3f8             jz wait
//	      mov dx, 0x3fa                  in al, dx                 mov al, ah
//	      mov al, 7 ; FIFOs              call putc                 mov dx, 0x3f8
//	      out dx, al                     jmp loop                  out dx, al
//	      mov si, text                                             ret
//	next: lodsb                                              text: greeting, 0
//	      test al, al
//	      jz loop
//	      call putc
//	      jmp next
var echoGuest = []byte{
	0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, 0x00, 0x7c,
	0xba, 0xfa, 0x03, 0xb0, 0x07, 0xee, 0xbe, 0x3f, 0x7c,
	0xac, 0x84, 0xc0, 0x74, 0x05, 0xe8, 0x13, 0x00, 0xeb, 0xf6,
	0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xf8, 0xba, 0xf8, 0x03, 0xec, 0xe8, 0x02, 0x00, 0xeb, 0xef,
	0x88, 0xc4, 0xba, 0xfd, 0x03, 0xec, 0xa8, 0x20, 0x74, 0xfb, 0x88, 0xe0, 0xba, 0xf8, 0x03, 0xee, 0xc3,
}

// disk writes the disk of a guest that uses serial port 0 or 1, and returns its path.
func disk(t *testing.T, folder string, line int) string {
	t.Helper()
	image := make([]byte, 1<<20)
	copy(image, bytes.Join([][]byte{echoGuest, []byte(greeting), {0}}, nil))
	if line == 1 { // 0x2f8 instead of 0x3f8, in each "mov dx"
		for i := range echoGuest {
			if i >= 2 && image[i-2] == 0xba && image[i] == 0x03 {
				image[i] = 0x02
			}
		}
	}
	image[510], image[511] = 0x55, 0xaa // what a BIOS boots
	path := filepath.Join(folder, "echo.img")
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
