// Package events makes Kubernetes events out of sentences, and tells each of them once.
package events

import (
	"container/list"
	"fmt"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/genode-operator/genode-operator/internal/conditions"
)

const (
	// maxNote is the API's limit for an event's text.
	maxNote = 1024
	// memory is the number of told events that a Recorder remembers.
	memory = 4096
)

// Event is one event that is to be told.
type Event struct {
	Object runtime.Object // what it is about
	Type   string         // Normal or Warning
	Reason string         // a constant, UpperCamel
	Action string         // what was done about it, UpperCamel
	Note   string         // a sentence with the number that the reader needs

	key string
}

// Normal makes an event about something that went as planned.
func Normal(about runtime.Object, reason, action, format string, args ...any) Event {
	return build(about, corev1.EventTypeNormal, reason, action, format, args)
}

// Warning makes an event about something that somebody may want to look at.
func Warning(about runtime.Object, reason, action, format string, args ...any) Event {
	return build(about, corev1.EventTypeWarning, reason, action, format, args)
}

func build(about runtime.Object, kind, reason, action, format string, args []any) Event {
	return Event{Object: about, Type: kind, Reason: reason, Action: action, Note: conditions.Sentence(fmt.Sprintf(format, args...), maxNote)}
}

// Once has the event told only once for its reason and these parts, for example a UID and an epoch.
func (e Event) Once(parts ...any) Event {
	words := []string{e.Reason}
	for _, p := range parts {
		words = append(words, fmt.Sprint(p))
	}
	e.key = strings.Join(words, "\x00")
	return e
}

// Sink is what takes events: the recorder of a controller-runtime manager.
type Sink interface {
	Eventf(regarding, related runtime.Object, eventtype, reason, action, note string, args ...any)
}

// Recorder hands events to a sink and leaves out those that it has told already. Its memory is
// bounded: the least recently told event is forgotten first.
type Recorder struct {
	sink Sink

	mu    sync.Mutex
	order *list.List // keys, newest first
	told  map[string]*list.Element
}

// NewRecorder makes a Recorder for a sink.
func NewRecorder(sink Sink) *Recorder {
	return &Recorder{sink: sink, order: list.New(), told: map[string]*list.Element{}}
}

// Publish tells events in order.
func (r *Recorder) Publish(events ...Event) {
	for _, e := range events {
		if r.isNew(e.key) {
			r.sink.Eventf(e.Object, nil, e.Type, e.Reason, e.Action, "%s", e.Note)
		}
	}
}

func (r *Recorder) isNew(key string) bool {
	if key == "" {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, known := r.told[key]; known {
		r.order.MoveToFront(at)
		return false
	}
	r.told[key] = r.order.PushFront(key)
	if r.order.Len() > memory {
		oldest := r.order.Back()
		r.order.Remove(oldest)
		delete(r.told, oldest.Value.(string))
	}
	return true
}
