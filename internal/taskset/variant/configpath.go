package variant

import (
	"fmt"
	"strings"

	"github.com/genode-operator/genode-operator/internal/taskset"
)

// checkConfigPath refuses a path that is malformed, ambiguous or leads through a value.
func checkConfigPath(path, attribute string, config taskset.Config) error {
	names, isConfig := strings.CutPrefix(attribute, configPrefix)
	if !isConfig {
		return fmt.Errorf("%s: %q is no attribute of a task; use a field such as priority or a path such as config.arg1", path, attribute)
	}
	steps := strings.Split(names, ".")
	for i, name := range steps {
		if !elementName.MatchString(name) {
			return fmt.Errorf("%s: %q: %q cannot name an XML element; use letters, digits, '_' and '-', beginning with a letter or '_'", path, attribute, name)
		}
		found := named(config, name)
		if len(found) > 1 {
			return fmt.Errorf("%s: %q: the task's config has %d elements %q there; vary one that is there once", path, attribute, len(found), name)
		}
		if len(found) == 0 {
			config = nil
			continue
		}
		if i < len(steps)-1 && found[0].Text != "" {
			return fmt.Errorf("%s: %q leads through %q, which is the value %q in the task; name the value itself", path, attribute, name, found[0].Text)
		}
		config = found[0].Children
	}
	return nil
}

func named(config taskset.Config, name string) taskset.Config {
	var found taskset.Config
	for _, n := range config {
		if n.Name == name {
			found = append(found, n)
		}
	}
	return found
}

// setPath returns a copy of the config in which the node at the path is replaced; missing nodes on the
// way are made. Nothing of the old tree is changed.
func setPath(config taskset.Config, path []string, node taskset.ConfigNode) taskset.Config {
	out := make(taskset.Config, len(config), len(config)+1)
	copy(out, config)
	at := len(out)
	for i, n := range out {
		if n.Name == path[0] {
			at = i
			break
		}
	}
	if at == len(out) {
		out = append(out, taskset.ConfigNode{Name: path[0]})
	}
	if len(path) == 1 {
		out[at] = node
	} else {
		out[at].Children = setPath(out[at].Children, path[1:], node)
	}
	return out
}
