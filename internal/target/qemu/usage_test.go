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
			for _, s := range tc.seen {
				got = m.update(s)
			}
			if got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestThreadTimes(t *testing.T) {
	tests := map[string]struct {
		files   map[string]string
		want    threadTime
		wantErr string
	}{
		"three numbers":         {files: map[string]string{"7": "1000 20 3\n"}, want: threadTime{1000 * time.Nanosecond, 20}},
		"no thread at all":      {wantErr: "no thread has a schedstat"},
		"something else inside": {files: map[string]string{"7": "hello"}, wantErr: `holds "hello"`},
		"a number too few":      {files: map[string]string{"7": "12\n"}, wantErr: "schedstat holds"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for thread, text := range tc.files {
				must(t, os.Mkdir(filepath.Join(dir, thread), 0o700))
				must(t, os.WriteFile(filepath.Join(dir, thread, "schedstat"), []byte(text), 0o600))
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
