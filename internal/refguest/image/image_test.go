package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cavaliergopher/cpio"
	"github.com/google/go-cmp/cmp"
)

func TestWhatAptSays(t *testing.T) {
	depends := "linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-56-cloud-amd64\n  Recommends: apparmor\n"
	if got := dependency(depends); got != "linux-image-6.1.0-56-cloud-amd64" {
		t.Errorf("dependency %q", got)
	}
	if got := dependency("N: Unable to locate package\n"); got != "" {
		t.Errorf("dependency out of nothing: %q", got)
	}
	uris := "'http://x/pool/a_1_amd64.deb' a_1_amd64.deb 26713492 SHA256:e7\n"
	if got := uriFile(uris); got != "a_1_amd64.deb" {
		t.Errorf("file %q", got)
	}
	if got := uriFile("E: no\n"); got != "" {
		t.Errorf("file out of nothing: %q", got)
	}
}

func kernelTar(t *testing.T, files map[string]string) io.Reader {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, content := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	return &b
}

func TestPick(t *testing.T) {
	cases := map[string]struct {
		files   map[string]string
		want    parts
		wantErr string
	}{
		"kernel and the wanted modules": {
			files: map[string]string{"./boot/vmlinuz-6.1": "K", "./lib/modules/6.1/kernel/drivers/net/virtio_net.ko": "N",
				"./lib/modules/6.1/kernel/drivers/net/e100.ko": "E"},
			want: parts{kernel: []byte("K"), modules: map[string][]byte{"virtio_net": []byte("N")}},
		},
		"no kernel":          {files: map[string]string{"./virtio_net.ko": "N"}, wantErr: "no vmlinuz"},
		"compressed modules": {files: map[string]string{"./boot/vmlinuz-6.1": "K", "./virtio_net.ko.xz": "N"}, wantErr: "no module virtio_net"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := pick(kernelTar(t, tc.files))
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Errorf("error %v, want %q in it", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(parts{})); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestArchiveListsModulesInLoadOrder(t *testing.T) {
	data, err := archive(map[string][]byte{"virtio_net": []byte("N"), "virtio": []byte("V")}, []byte("INIT"))
	if err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	a := cpio.NewReader(zip)
	for {
		h, err := a.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(a)
		if err != nil {
			t.Fatal(err)
		}
		if h.Mode.IsRegular() {
			got[h.Name] = string(content)
		}
	}
	want := map[string]string{"init": "INIT", "lib/modules/order": "virtio.ko\nvirtio_net.ko\n",
		"lib/modules/virtio.ko": "V", "lib/modules/virtio_net.ko": "N"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("archive (-want +got):\n%s", diff)
	}
}

func TestBinariesThatCannotBeInit(t *testing.T) {
	text := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := checkStatic(text); err == nil {
		t.Error("a script was accepted as init")
	}
	if _, err := os.Stat("/bin/sh"); err == nil {
		if err := checkStatic("/bin/sh"); err == nil || !strings.Contains(err.Error(), "CGO_ENABLED=0") && !strings.Contains(err.Error(), "GOARCH") {
			t.Errorf("a dynamic binary: %v", err)
		}
	}
}

func TestUpToDate(t *testing.T) {
	dir := t.TempDir()
	p := parts{kernel: []byte("K"), modules: map[string][]byte{"virtio_net": []byte("N")}}
	tmp := filepath.Join(dir, "tmp")
	if err := os.Mkdir(tmp, 0o755); err != nil {
		t.Fatal(err)
	}
	if upToDate(dir, "s") {
		t.Error("an empty folder is up to date")
	}
	if err := write(dir, tmp, "s", p, []byte("I")); err != nil {
		t.Fatal(err)
	}
	if !upToDate(dir, "s") || upToDate(dir, "other") {
		t.Error("the stamp does not decide")
	}
	if err := os.Remove(filepath.Join(dir, InitrdFile)); err != nil {
		t.Fatal(err)
	}
	if upToDate(dir, "s") {
		t.Error("up to date without an initramfs")
	}
}
