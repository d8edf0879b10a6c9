package image

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"

	"github.com/cavaliergopher/cpio"
)

// archive makes the initramfs: /init, and the modules with their order. /dev/console, which init writes
// to, comes from the archive that is built into every kernel.
func archive(modules map[string][]byte, init []byte) ([]byte, error) {
	var out bytes.Buffer
	// Unpacking is the guest's work, under emulation: less of it beats a smaller file.
	zip, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if err := files(zip, modules, init); err != nil {
		return nil, fmt.Errorf("write initramfs: %w", err)
	}
	if err := zip.Close(); err != nil {
		return nil, fmt.Errorf("compress initramfs: %w", err)
	}
	return out.Bytes(), nil
}

func files(w io.Writer, modules map[string][]byte, init []byte) error {
	a := cpio.NewWriter(w)
	for _, dir := range []string{"dev", "proc", "sys", "lib", "lib/modules"} {
		if err := a.WriteHeader(&cpio.Header{Name: dir, Mode: cpio.TypeDir | 0o755, Links: 2}); err != nil {
			return err
		}
	}
	var order []string
	for _, name := range moduleOrder {
		content, ok := modules[name]
		if !ok {
			continue // built into this kernel
		}
		order = append(order, name+".ko")
		if err := file(a, "lib/modules/"+name+".ko", 0o644, content); err != nil {
			return err
		}
	}
	if err := file(a, "lib/modules/order", 0o644, []byte(strings.Join(order, "\n")+"\n")); err != nil {
		return err
	}
	if err := file(a, "init", 0o755, init); err != nil {
		return err
	}
	return a.Close()
}

func file(a *cpio.Writer, name string, mode cpio.FileMode, content []byte) error {
	if err := a.WriteHeader(&cpio.Header{Name: name, Mode: cpio.TypeReg | mode, Size: int64(len(content)), Links: 1}); err != nil {
		return err
	}
	_, err := a.Write(content)
	return err
}
