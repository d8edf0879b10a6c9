package main

import (
	"bufio"
	"bytes"
	"context"
	"strconv"
	"strings"
)

// metrics are the values that an agent exports, by name with labels.
type metrics map[string]float64

// parseMetrics reads Prometheus' text format; what it does not understand it skips.
func parseMetrics(text []byte) metrics {
	m := metrics{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if v, err := strconv.ParseFloat(line[at+1:], 64); err == nil {
			m[line[:at]] = v
		}
	}
	return m
}

// sum adds up what a counter says under all labels that contain label; "" for all of them.
func (m metrics) sum(name, label string) float64 {
	total := 0.0
	for key, v := range m {
		if base, labels, _ := strings.Cut(key, "{"); base == name && strings.Contains(labels, label) {
			total += v
		}
	}
	return total
}

// alarms are what the agent took for a freeze so far: verdicts, and those of them that it took back before
// it did anything.
type alarms struct{ verdicts, withdrawn int }

func (m metrics) alarms() alarms {
	return alarms{
		verdicts:  int(m.sum("genode_guest_unhealthy_total", "")),
		withdrawn: int(m.sum("genode_guest_oddities_total", `"FalseAlarm"`)),
	}
}

func (t *target) metrics(ctx context.Context) (metrics, error) {
	text, err := t.client.Metrics(ctx)
	if err != nil {
		return nil, t.explain(err)
	}
	return parseMetrics(text), nil
}
