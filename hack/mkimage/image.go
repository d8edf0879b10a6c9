package main

import (
	"archive/tar"
	"bytes"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// write writes an image of one layer, and returns its digest.
func write(out, tag, user string, entrypoint []string, c contents) (string, error) {
	ref, err := name.NewTag(tag)
	if err != nil {
		return "", err
	}
	var archive bytes.Buffer
	if err := c.tar(&archive); err != nil {
		return "", err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive.Bytes())), nil
	})
	if err != nil {
		return "", err
	}
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		Architecture: runtime.GOARCH, OS: "linux",
		RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User: user, Entrypoint: entrypoint,
			Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		},
	})
	if err != nil {
		return "", err
	}
	if image, err = mutate.AppendLayers(image, layer); err != nil {
		return "", err
	}
	digest, err := image.Digest()
	if err != nil {
		return "", err
	}
	return digest.String(), replace(out, func(path string) error { return tarball.WriteToFile(path, ref, image) })
}

// replace writes a file beside its place, and then puts it there.
func replace(path string, write func(path string) error) error {
	fresh := path + ".new"
	if err := write(fresh); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

// tar writes the layer: everything is root's, of no particular time, and in the order of the paths.
func (c contents) tar(out io.Writer) error {
	c.parents()
	w := tar.NewWriter(out)
	for _, path := range slices.Sorted(maps.Keys(c)) {
		if err := c[path].tar(w, strings.TrimPrefix(path, "/")); err != nil {
			return err
		}
	}
	return w.Close()
}

// parents adds the folders that others are in.
func (c contents) parents() {
	for path := range maps.Clone(c) {
		for folder := filepath.Dir(path); folder != "/"; folder = filepath.Dir(folder) {
			if _, is := c[folder]; !is {
				c[folder] = entry{mode: 0o755}
			}
		}
	}
	delete(c, "/")
}

func (e entry) tar(w *tar.Writer, name string) error {
	h := &tar.Header{Name: name, ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
	h.Mode = int64(e.mode.Perm())
	if e.mode&fs.ModeSticky != 0 {
		h.Mode |= 0o1000
	}
	switch {
	case e.link != "":
		h.Typeflag, h.Linkname = tar.TypeSymlink, e.link
		return w.WriteHeader(h)
	case e.source == "":
		h.Typeflag, h.Name = tar.TypeDir, name+"/"
		return w.WriteHeader(h)
	}
	b, err := os.ReadFile(e.source)
	if err != nil {
		return err
	}
	h.Typeflag, h.Size = tar.TypeReg, int64(len(b))
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}
