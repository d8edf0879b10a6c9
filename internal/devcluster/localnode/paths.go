package localnode

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mount says which folder or file of this machine stands for a path in the container.
type mount struct {
	path string // in the container; absolute and clean
	host string
}

// paths rewrites what a container calls a path into where it is on this machine: there is no
// chroot that would do it.
//
// A path that begins with the mount path of a volume is that volume's folder; one that exists
// under the image's folder is the one there; any other stays. Rewritten are a whole value, the
// path in "--flag=PATH", and those in comma-separated pieces of the form PATH or key=PATH.
type paths struct {
	image  string  // folder of the image
	mounts []mount // longest path first
}

func newPaths(image string, mounts []mount) paths {
	sorted := slices.Clone(mounts)
	slices.SortStableFunc(sorted, func(a, b mount) int { return cmp.Compare(len(b.path), len(a.path)) })
	return paths{image: image, mounts: sorted}
}

// value rewrites the paths in an argument or in the value of a variable.
func (p paths) value(s string) string {
	if !strings.Contains(s, "/") {
		return s
	}
	pieces := strings.Split(s, ",")
	for i, piece := range pieces {
		if at := strings.Index(piece, "=/"); at >= 0 && !strings.HasPrefix(piece, "/") {
			pieces[i] = piece[:at+1] + p.path(piece[at+1:])
			continue
		}
		pieces[i] = p.path(piece)
	}
	return strings.Join(pieces, ",")
}

// path rewrites one path; what is not an absolute path stays.
func (p paths) path(s string) string {
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") {
		return s
	}
	clean := filepath.Clean(s)
	for _, m := range p.mounts {
		if rest, ok := below(clean, m.path); ok {
			return filepath.Join(m.host, rest)
		}
	}
	if clean == "/" || p.image == "" {
		return s
	}
	if inside := filepath.Join(p.image, clean); exists(inside) {
		return inside
	}
	return s
}

// below returns what follows dir in path, if path is dir or lies in it.
func below(path, dir string) (rest string, ok bool) {
	if path == dir || dir == "/" {
		return strings.TrimPrefix(path, dir), true
	}
	return strings.CutPrefix(path, dir+"/")
}

// searchPath is where a command without a slash is looked for in an image.
var searchPath = []string{"/usr/local/bin", "/usr/bin", "/bin", "/"}

// command finds the program of a container: in the image first, then on this machine.
func (p paths) command(name string) string {
	if strings.Contains(name, "/") {
		return p.path(name)
	}
	for _, dir := range searchPath {
		if file := filepath.Join(p.image, dir, name); isProgram(file) {
			return file
		}
	}
	return name // looked up in this machine's PATH by whoever starts it
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && info.Mode()&0o111 != 0
}
