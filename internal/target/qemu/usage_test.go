package qemu

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheTimesOfThreadsThatComeAndGo(t *testing.T) {
	type threads = map[string]threadTime
	start := time.Now()
	tests := map[string]struct {
		seen []threads
		want threadTime
	}{
		"one thread":                         {[]threads{{"1": {10, 1}}}, threadTime{10, 1}},
		"threads are added up":               {[]threads{{"1": {10, 1}, "2": {5, 2}}}, threadTime{15, 3}},
		"a thread goes on":                   {[]threads{{"1": {10, 1}}, {"1": {12, 4}}}, threadTime{12, 4}},
		"what ended is not forgotten":        {[]threads{{"1": {10, 1}, "2": {5, 2}}, {"1": {11, 1}}, {"1": {12, 1}}}, threadTime{17, 3}},
		"a thread with the id of a dead one": {[]threads{{"1": {10, 0}, "2": {5, 2}}, {"1": {10, 0}, "2": {1, 1}}}, threadTime{16, 3}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var m meter
			var got threadTime
			for i, s := range tc.seen {
				now := map[string]thread{}
				for id, times := range s {
					now[id] = thread{threadTime: times}
				}
				got = m.update(start.Add(time.Duration(i)*time.Second), now)
			}
			if got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestWaitsThatStillLast(t *testing.T) {
	asleep := func(run, wait time.Duration) thread { return thread{threadTime{run, wait}, false} }
	ready := func(run, wait time.Duration) thread { return thread{threadTime{run, wait}, true} }
	const second = time.Second
	tests := map[string]struct {
		seen []thread // a second apart
		want time.Duration
	}{
		"a thread seen once has waited for nothing yet":     {[]thread{ready(5, 1)}, 1},
		"a thread that stands still and is ready waits":     {[]thread{ready(5, 1), ready(5, 1), ready(5, 1)}, 2*second + 1},
		"a thread that runs does not wait":                  {[]thread{ready(5, 1), ready(6, 1), ready(7, 1)}, 1},
		"a thread that sleeps does not wait":                {[]thread{asleep(5, 1), asleep(5, 1)}, 1},
		"a thread that has just woken up":                   {[]thread{asleep(5, 1), asleep(5, 1), ready(5, 1)}, 1},
		"the kernel's number takes the place of the guess":  {[]thread{ready(5, 1), ready(5, 1), ready(6, second+3)}, second + 3},
		"a further wait begins at the look that first sees": {[]thread{ready(5, 1), ready(5, 1), ready(6, second), ready(6, second)}, 2 * second},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var m meter
			var got threadTime
			start := time.Now()
			for i, s := range tc.seen {
				got = m.update(start.Add(time.Duration(i)*second), map[string]thread{"1": s})
			}
			if got.wait != tc.want {
				t.Errorf("waited %s, want %s", got.wait, tc.want)
			}
		})
	}
}

func TestThreadTimes(t *testing.T) {
	tests := map[string]struct {
		files   map[string]string
		stat    string
		want    thread
		wantErr string
	}{
		"three numbers": {files: map[string]string{"7": "1000 20 3\n"}, want: thread{threadTime{1000 * time.Nanosecond, 20}, false}},
		"a thread that is ready": {
			files: map[string]string{"7": "1000 20 3\n"}, stat: "7 (CPU 0) S) R 1 2 3", want: thread{threadTime{1000 * time.Nanosecond, 20}, true},
		},
		"a thread that sleeps": {
			files: map[string]string{"7": "1000 20 3\n"}, stat: "7 (R) S 1 2 3", want: thread{threadTime{1000 * time.Nanosecond, 20}, false},
		},
		"a stat that is cut off": {files: map[string]string{"7": "1000 20 3\n"}, stat: "7 (R", want: thread{threadTime{1000 * time.Nanosecond, 20}, false}},
		"no thread at all":       {wantErr: "no thread has a schedstat"},
		"something else inside":  {files: map[string]string{"7": "hello"}, wantErr: `holds "hello"`},
		"a number too few":       {files: map[string]string{"7": "12\n"}, wantErr: "schedstat holds"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for thread, text := range tc.files {
				must(t, os.Mkdir(filepath.Join(dir, thread), 0o700))
				must(t, os.WriteFile(filepath.Join(dir, thread, "schedstat"), []byte(text), 0o600))
				if tc.stat != "" {
					must(t, os.WriteFile(filepath.Join(dir, thread, "stat"), []byte(tc.stat), 0o600))
				}
			}
			got, err := threadTimes(dir)
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Errorf("error %v does not hold %q", err, tc.wantErr)
				}
				return
			}
			if err != nil || got["7"] != tc.want {
				t.Errorf("got %v, %v; want %v", got["7"], err, tc.want)
			}
		})
	}
}
