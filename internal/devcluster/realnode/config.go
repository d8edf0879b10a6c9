package realnode

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/template"

	"golang.org/x/sys/unix"
)

//go:embed config
var templates embed.FS

// writeConfig writes the configuration of every part to dir/config.
func writeConfig(j job) error {
	data := map[string]string{
		"Dir": j.dir, "Cgroup": j.cgroup, "Address": Address, "Name": Name, "Pods": pods, "PauseImage": PauseImage,
	}
	return fs.WalkDir(templates, "config", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		t, err := template.ParseFS(templates, path)
		if err != nil {
			return err
		}
		target := filepath.Join(j.dir, path)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		f, err := os.Create(target)
		if err != nil {
			return err
		}
		if err := t.Option("missingkey=error").Execute(f, data); err != nil {
			_ = f.Close()
			return fmt.Errorf("%s: %w", path, err)
		}
		return f.Close()
	})
}

func setHostname() error {
	if err := unix.Sethostname([]byte(Name)); err != nil {
		return fmt.Errorf("set the host name of the namespace: %w", err)
	}
	return nil
}
