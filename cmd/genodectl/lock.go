package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// A campaign that runs here holds a lock: a file of its name, in a folder beside the user's own store. It tells
// other commands which process that is, and where its targets are.

// running is the content of such a file.
type running struct {
	PID    int           `json:"pid"`
	Target targetOptions `json:"targets"`
}

// lock is held by the process that runs the campaign.
type lock struct{ file *os.File }

// errRunning is returned when another process runs the campaign.
var errRunning = errors.New("it runs already")

func lockPath(id string) (string, error) {
	store, err := storePath()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(filepath.Dir(store), "running")
	return filepath.Join(folder, strings.NewReplacer("/", "_", "\x00", "_").Replace(id)+".json"), os.MkdirAll(folder, 0o700)
}

// lockCampaign makes this process the one that runs the campaign. A dry run needs no lock.
func lockCampaign(store, id string, t *targetOptions) (*lock, error) {
	if store == dryStore {
		return &lock{}, nil
	}
	path, err := lockPath(id)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		who, _ := whoRuns(id)
		return nil, errors.Join(fmt.Errorf("campaign %s: %w, in process %d; wait for it, stop it with genodectl stop, or give this one another --name", id, errRunning, who.PID), f.Close())
	}
	text, err := json.Marshal(running{PID: os.Getpid(), Target: *t})
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt(text, 0)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &lock{f}, nil
}

// release lets others run it. The file stays: it says where the targets were.
func (l *lock) release() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// whoRuns reads who runs a campaign, or ran it last; its PID is 0 when nobody does.
func whoRuns(id string) (running, error) {
	path, err := lockPath(id)
	if err != nil {
		return running{}, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return running{}, nil
	}
	if err != nil {
		return running{}, err
	}
	defer f.Close()
	var r running
	if err := json.NewDecoder(f).Decode(&r); err != nil {
		return running{}, fmt.Errorf("read %s: %w", path, err)
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil {
		r.PID = 0 // nobody holds it
	}
	return r, nil
}
