package taskset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// MaxConfigDepth is how deep a Config may be nested.
const MaxConfigDepth = 32

var xmlName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// ConfigFromJSON turns a JSON object into a Config. Scalars become leaves (null an empty one), objects
// become inner nodes, and an array becomes one element for each of its items, all of the same name.
// The order is the order of the JSON text, and numbers keep their spelling. Nothing, null and {} give
// an empty Config. Errors name the path of what is wrong and the remedy.
func ConfigFromJSON(raw []byte) (Config, error) {
	text := bytes.TrimSpace(raw)
	if len(text) == 0 || string(text) == "null" {
		return nil, nil
	}
	if text[0] != '{' {
		return nil, errors.New(`config: must be an object such as {"arg1": 5}`)
	}
	nodes, err := nodeFromJSON("config", text)
	if err != nil {
		return nil, err
	}
	return nodes[0].Children, nil
}

// ValueFromJSON turns a JSON scalar or object into the node called name.
func ValueFromJSON(name string, raw []byte) (ConfigNode, error) {
	if text := bytes.TrimSpace(raw); len(text) > 0 && text[0] == '[' {
		return ConfigNode{}, fmt.Errorf("%s: an array is not one value; give a scalar or an object", name)
	}
	nodes, err := nodeFromJSON(name, raw)
	if err != nil {
		return ConfigNode{}, err
	}
	return nodes[0], nil
}

func nodeFromJSON(name string, raw []byte) (Config, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	nodes, err := readValue(d, name, name, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: something follows the JSON value; give exactly one value", name)
	}
	return nodes, nil
}

// readValue reads the value of the element name; an array gives any number of elements.
func readValue(d *json.Decoder, name, path string, depth int) (Config, error) {
	if depth > MaxConfigDepth {
		return nil, fmt.Errorf("%s: nested deeper than %d; flatten it", path, MaxConfigDepth)
	}
	token, err := d.Token()
	if err != nil {
		return nil, fmt.Errorf("%s: not valid JSON: %w", path, err)
	}
	return fromToken(d, token, name, path, depth)
}

func fromToken(d *json.Decoder, token json.Token, name, path string, depth int) (Config, error) {
	switch value := token.(type) {
	case json.Delim:
		if value == '{' {
			children, err := readObject(d, path, depth)
			return Config{{Name: name, Children: children}}, err
		}
		return readArray(d, name, path, depth)
	case nil:
		return Config{{Name: name}}, nil
	case string:
		if err := checkText(path, value); err != nil {
			return nil, err
		}
		return Config{{Name: name, Text: value}}, nil
	default: // bool or json.Number
		return Config{{Name: name, Text: fmt.Sprint(value)}}, nil
	}
}

func readObject(d *json.Decoder, path string, depth int) (Config, error) {
	var children Config
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("%s: not valid JSON: %w", path, err)
		}
		key := token.(string) // the decoder lets nothing else be a key
		if err := checkName(path, key); err != nil {
			return nil, err
		}
		if seen[key] {
			return nil, fmt.Errorf("%s: key %q is there twice; give an array for repeated elements", path, key)
		}
		seen[key] = true
		nodes, err := readValue(d, key, path+"."+key, depth+1)
		if err != nil {
			return nil, err
		}
		children = append(children, nodes...)
	}
	return children, closing(d, path)
}

func readArray(d *json.Decoder, name, path string, depth int) (Config, error) {
	nodes := Config{}
	for d.More() {
		at := fmt.Sprintf("%s[%d]", path, len(nodes))
		token, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("%s: not valid JSON: %w", at, err)
		}
		if token == json.Delim('[') {
			return nil, fmt.Errorf("%s: an array in an array has no XML form; use an object in between", at)
		}
		item, err := fromToken(d, token, name, at, depth+1)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, item[0])
	}
	return nodes, closing(d, path)
}

func closing(d *json.Decoder, path string) error {
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("%s: not valid JSON: %w", path, err)
	}
	return nil
}

func checkName(path, name string) error {
	if xmlName.MatchString(name) {
		return nil
	}
	return fmt.Errorf("%s: key %q cannot name an XML element; use letters, digits, '_', '.' and '-', beginning with a letter or '_'", path, name)
}

func checkText(path, text string) error {
	bad := func(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\n\r", r) || r == 0xFFFE || r == 0xFFFF }
	if utf8.ValidString(text) && !strings.ContainsFunc(text, bad) {
		return nil
	}
	return fmt.Errorf("%s: value %q has characters that XML cannot carry; remove control characters", path, text)
}
