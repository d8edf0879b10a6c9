package export

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// pair is one thing that a sweep, a draw or the generator chose.
type pair struct {
	name  string
	value any
}

// pairsOf reads the values of a record in their own order: a JSON object.
func pairsOf(values string) ([]pair, error) {
	if values == "" {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader([]byte(values)))
	d.UseNumber()
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, fmt.Errorf("values %.40q are no JSON object", values)
	}
	var out []pair
	for d.More() {
		var p pair
		key, err := d.Token()
		if err == nil {
			p.name, _ = key.(string) // the decoder lets nothing else be a key
			err = d.Decode(&p.value)
		}
		if err != nil {
			return nil, fmt.Errorf("values %.40q: %w", values, err)
		}
		out = append(out, p)
	}
	return out, nil
}

// typed is a value as a number if it reads as one: stores keep what sweeps chose as texts.
func typed(value any) any {
	switch v := value.(type) {
	case json.Number:
		return numberOf(string(v))
	case string:
		return numberOf(v)
	}
	return value
}

// numberOf is the number that a text is in JSON, or the text.
func numberOf(text string) any {
	var n json.Number
	if json.Unmarshal([]byte(text), &n) != nil || n == "" || text == "" || text[0] == '"' {
		return text
	}
	if i, err := n.Int64(); err == nil {
		return i
	}
	if f, err := n.Float64(); err == nil {
		return f
	}
	return text
}
