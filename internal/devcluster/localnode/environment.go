package localnode

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// environment resolves the variables of a container. Errors are worded as a kubelet words them.
func environment(ctx context.Context, src source, pod *corev1.Pod, address string, c *corev1.Container) (map[string]string, error) {
	values := map[string]string{}
	for _, from := range c.EnvFrom {
		if err := environmentFrom(ctx, src, from, values); err != nil {
			return nil, err
		}
	}
	for _, v := range c.Env {
		if v.ValueFrom == nil {
			values[v.Name] = expand(v.Value, values)
			continue
		}
		value, ok, err := variable(ctx, src, pod, address, v.ValueFrom)
		if err != nil {
			return nil, err
		}
		if ok {
			values[v.Name] = value
		}
	}
	return values, nil
}

func environmentFrom(ctx context.Context, src source, from corev1.EnvFromSource, values map[string]string) error {
	var data map[string][]byte
	var err error
	switch {
	case from.SecretRef != nil:
		var secret *corev1.Secret
		if secret, err = src.secret(ctx, from.SecretRef.Name, from.SecretRef.Optional); secret != nil {
			data = secret.Data
		}
	case from.ConfigMapRef != nil:
		data, err = src.configMap(ctx, from.ConfigMapRef.Name, from.ConfigMapRef.Optional)
	}
	for key, value := range data {
		values[from.Prefix+key] = string(value)
	}
	return err
}

// variable resolves one reference; not ok means that an optional one leads nowhere.
func variable(ctx context.Context, src source, pod *corev1.Pod, address string, from *corev1.EnvVarSource) (value string, ok bool, err error) {
	switch {
	case from.FieldRef != nil:
		value, err = field(pod, address, from.FieldRef.FieldPath)
		return value, err == nil, err
	case from.SecretKeyRef != nil:
		ref := from.SecretKeyRef
		secret, err := src.secret(ctx, ref.Name, ref.Optional)
		if secret == nil {
			return "", false, err
		}
		return lookUp(secret.Data, ref.Key, ref.Optional, "Secret "+src.namespace+"/"+ref.Name)
	case from.ConfigMapKeyRef != nil:
		ref := from.ConfigMapKeyRef
		data, err := src.configMap(ctx, ref.Name, ref.Optional)
		if data == nil {
			return "", false, err
		}
		return lookUp(data, ref.Key, ref.Optional, "ConfigMap "+src.namespace+"/"+ref.Name)
	}
	return "", false, fmt.Errorf("env: this source of a value is not supported by this node: use value, fieldRef, secretKeyRef or configMapKeyRef")
}

func lookUp(data map[string][]byte, key string, optional *bool, in string) (string, bool, error) {
	value, ok := data[key]
	if !ok && !isTrue(optional) {
		return "", false, fmt.Errorf("couldn't find key %s in %s", key, in)
	}
	return string(value), ok, nil
}

// processEnvironment is the environment of a container's process: that of the pod with rewritten
// paths, and a few variables that every container has. Nothing of this node's own is passed on
// but PATH.
func processEnvironment(values map[string]string, p paths, pod *corev1.Pod, extra map[string]string) []string {
	all := map[string]string{
		"PATH":     imagePath(p.image) + os.Getenv("PATH"),
		"HOME":     "/",
		"HOSTNAME": pod.Name,
	}
	if tmp := p.path("/tmp"); tmp != "/tmp" {
		all["TMPDIR"] = tmp
	}
	for name, value := range values {
		all[name] = p.value(value)
	}
	maps.Copy(all, extra)
	env := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		env = append(env, name+"="+all[name])
	}
	return env
}

// imagePath lists the folders of programs in an image, each followed by a colon.
func imagePath(image string) string {
	var list strings.Builder
	for _, dir := range searchPath {
		if dir := filepath.Join(image, dir); exists(dir) {
			list.WriteString(dir + ":")
		}
	}
	return list.String()
}
