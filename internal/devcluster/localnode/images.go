package localnode

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// entrypointFile may lie in an image's folder: a JSON array of strings, the command of containers
// that name none, as the entry point of a real image is.
const entrypointFile = ".entrypoint.json"

// images finds the folder of an image by its reference.
type images map[string]string

// folder returns the folder of an image. The error names the reference and the remedy.
func (m images) folder(reference string) (string, error) {
	dir, ok := m[reference]
	if !ok {
		known := make([]string, 0, len(m))
		for r := range m {
			known = append(known, r)
		}
		slices.Sort(known)
		return "", fmt.Errorf("no folder is given for image %q on this node, only for [%s]; start the node with --image %s=FOLDER",
			reference, strings.Join(known, " "), reference)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", fmt.Errorf("image %q: its folder %s does not exist on this machine", reference, dir)
	}
	return dir, nil
}

// entrypoint reads the command of an image, if it has one.
func entrypoint(image string) ([]string, error) {
	b, err := os.ReadFile(filepath.Join(image, entrypointFile))
	if err != nil {
		return nil, fmt.Errorf("no command specified, and the image's folder %s has no %s", image, entrypointFile)
	}
	var command []string
	if err := json.Unmarshal(b, &command); err != nil || len(command) == 0 {
		return nil, fmt.Errorf("%s in the image's folder %s is not an array of strings", entrypointFile, image)
	}
	return command, nil
}
