package localnode

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// file is one file of a volume made from API objects.
type file struct {
	path    string // in the volume; the API server allows neither ".." nor an absolute one
	content []byte
	mode    os.FileMode
}

const defaultMode = 0o644

func (v volumes) secretFiles(ctx context.Context, name string, optional *bool, items []corev1.KeyToPath, mode *int32) ([]file, error) {
	secret, err := v.secret(ctx, name, optional)
	if secret == nil {
		return nil, err
	}
	return keyFiles(secret.Data, items, mode, optional, "references non-existent secret key: %s")
}

func (v volumes) configMapFiles(ctx context.Context, name string, optional *bool, items []corev1.KeyToPath, mode *int32) ([]file, error) {
	data, err := v.configMap(ctx, name, optional)
	if data == nil {
		return nil, err
	}
	return keyFiles(data, items, mode, optional, "configmap references non-existent config key: %s")
}

// keyFiles makes a file of each key, or of those in items, under the paths named there.
func keyFiles(data map[string][]byte, items []corev1.KeyToPath, mode *int32, optional *bool, missing string) ([]file, error) {
	var files []file
	if len(items) == 0 {
		for key, content := range data {
			files = append(files, file{path: key, content: content, mode: fileMode(mode, nil)})
		}
		return files, nil
	}
	for _, item := range items {
		content, ok := data[item.Key]
		if !ok {
			if isTrue(optional) {
				continue
			}
			return nil, fmt.Errorf(missing, item.Key)
		}
		files = append(files, file{path: item.Path, content: content, mode: fileMode(mode, item.Mode)})
	}
	return files, nil
}

func (v volumes) downwardFiles(items []corev1.DownwardAPIVolumeFile, mode *int32) ([]file, error) {
	var files []file
	for _, item := range items {
		if item.FieldRef == nil {
			return nil, waiting(reasonUnsupported, "downwardAPI file %q: the local node knows only fieldRef", item.Path)
		}
		value, err := field(v.pod, v.address, item.FieldRef.FieldPath)
		if err != nil {
			return nil, err
		}
		files = append(files, file{path: item.Path, content: []byte(value), mode: fileMode(mode, item.Mode)})
	}
	return files, nil
}

func (v volumes) projectedFiles(ctx context.Context, p *corev1.ProjectedVolumeSource) ([]file, error) {
	var all []file
	for _, src := range p.Sources {
		var files []file
		var err error
		switch {
		case src.Secret != nil:
			files, err = v.secretFiles(ctx, src.Secret.Name, src.Secret.Optional, src.Secret.Items, p.DefaultMode)
		case src.ConfigMap != nil:
			files, err = v.configMapFiles(ctx, src.ConfigMap.Name, src.ConfigMap.Optional, src.ConfigMap.Items, p.DefaultMode)
		case src.DownwardAPI != nil:
			files, err = v.downwardFiles(src.DownwardAPI.Items, p.DefaultMode)
		case src.ServiceAccountToken != nil:
			var token []byte
			token, err = v.token(ctx, src.ServiceAccountToken)
			files = []file{{path: src.ServiceAccountToken.Path, content: token, mode: fileMode(p.DefaultMode, nil)}}
		default:
			err = waiting(reasonUnsupported, "the local node projects only secret, configMap, downwardAPI and serviceAccountToken")
		}
		if err != nil {
			return nil, err
		}
		all = append(all, files...)
	}
	return all, nil
}

// write replaces the content of a volume's folder, unless making the files failed.
func (v volumes) write(folder string, files []file, err error) error {
	if err != nil {
		return err
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(folder, filepath.Clean("/"+f.path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.content, 0o600); err != nil {
			return err
		}
		if group, ok := v.group(); ok {
			f.mode |= 0o440
			if err := os.Chown(path, -1, group); err != nil {
				return err
			}
		}
		if err := os.Chmod(path, f.mode); err != nil {
			return err
		}
	}
	return nil
}

func fileMode(volume, item *int32) os.FileMode {
	if item != nil {
		return os.FileMode(*item) & os.ModePerm
	}
	return os.FileMode(ptr.Deref(volume, defaultMode)) & os.ModePerm
}
