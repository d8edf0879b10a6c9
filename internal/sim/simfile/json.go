package simfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// deepest is how deep objects and lists may lie within each other.
const deepest = 32

// decode reads one JSON value: like json.Unmarshal, but numbers stay as they are written, and a member that is
// there twice is an error with its path.
func decode(text []byte) (node, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	root := node{problems: &problems{}}
	value, err := decodeValue(d, root, 0)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more after the end of the value")
		}
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return node{}, fmt.Errorf("%w: byte %d: %w", sim.ErrInvalid, d.InputOffset(), err)
	}
	root.value = value
	return root, root.err()
}

func decodeValue(d *json.Decoder, at node, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	open, is := token.(json.Delim)
	if !is {
		return token, nil
	}
	if depth == deepest {
		return nil, fmt.Errorf("%s: lies more than %d levels deep", at.path, deepest)
	}
	var value any
	if open == '{' {
		value, err = decodeObject(d, at, depth+1)
	} else {
		value, err = decodeList(d, at, depth+1)
	}
	if err != nil {
		return nil, err
	}
	_, err = d.Token() // the end
	return value, err
}

func decodeObject(d *json.Decoder, at node, depth int) (map[string]any, error) {
	members := map[string]any{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string) // the decoder lets nothing else pass
		member := at.field(name)
		value, err := decodeValue(d, member, depth)
		if err != nil {
			return nil, err
		}
		if _, twice := members[name]; twice {
			member.value = value
			member.refuse("is there twice; remove one")
		}
		members[name] = value
	}
	return members, nil
}

func decodeList(d *json.Decoder, at node, depth int) ([]any, error) {
	elements := []any{}
	for d.More() {
		value, err := decodeValue(d, node{fmt.Sprintf("%s[%d]", at.path, len(elements)), nil, at.problems}, depth)
		if err != nil {
			return nil, err
		}
		elements = append(elements, value)
	}
	return elements, nil
}
