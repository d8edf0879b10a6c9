package local

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/genode-operator/genode-operator/internal/session"
)

// maxBinary is the longest binary that is read, in bytes.
const maxBinary = 64 << 20

// Binaries reads the binaries of pkgs from the files of those names in a folder. The error lists every one that
// is missing.
func Binaries(folder string, pkgs []string) (map[string]session.Binary, error) {
	found := map[string]session.Binary{}
	var missing []string
	for _, pkg := range pkgs {
		path := filepath.Join(folder, pkg)
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, pkg)
			continue
		case err != nil:
			return nil, fmt.Errorf("binary of pkg %s: %w", pkg, err)
		case !info.Mode().IsRegular() || info.Size() == 0 || info.Size() > maxBinary:
			return nil, fmt.Errorf("binary of pkg %s: %s is not a file of 1 byte to 64 MiB", pkg, path)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("binary of pkg %s: %w", pkg, err)
		}
		found[pkg] = session.Binary{Name: pkg, Content: content, SHA256: sha256.Sum256(content)}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return nil, fmt.Errorf("binaries: there is no file for %s in %s; put them there, or name another folder with --binaries", strings.Join(missing, ", "), folder)
	}
	return found, nil
}
