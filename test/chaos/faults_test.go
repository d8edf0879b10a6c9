package chaos

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // the store's driver

	"github.com/genode-operator/genode-operator/test/lab"
)

// fault is something that goes wrong. What it does has ended when do returns; what the product has to do about
// it may go on.
type fault struct {
	what string
	do   func(*chaos) error
}

// faults are all that can go wrong here, the frequent ones more than once.
var faults = []fault{
	{"a guest freezes", tell("hang")},
	{"a guest freezes", tell("hang")},
	{"a guest loses its network", tell("silent")},
	{"a guest panics", tell("crash")},
	{"a guest powers off", tell("exit")},
	{"a taskloader falls silent", tell("stall")},
	{"kill -9 of a QEMU", kill("qemu-system")},
	{"kill -9 of an agent", kill("/agent ")},
	{"a QEMU stands still", pause("qemu-system", 300*time.Millisecond, 4*time.Second)},
	{"an agent stands still", pause("/agent ", 300*time.Millisecond, 4*time.Second)},
	{"kill -9 of the manager", killManager},
	{"the manager stands still", func(c *chaos) error { return c.pause(c.ManagerPid(), time.Second, 5*time.Second) }},
	{"the API server stands still", func(c *chaos) error { return c.pause(c.ControlPlanePid(), time.Second, 8*time.Second) }},
	{"kill -9 of the control plane", killControlPlane},
	{"somebody locks the store", lockStore},
}

func tell(command string) func(*chaos) error {
	return func(c *chaos) error {
		name := targets[c.dice.IntN(len(targets))]
		_, err := c.Tell(c.Context(), name, command)
		if err != nil {
			return fmt.Errorf("%w: %s has other troubles: %w", errNotNow, name, err)
		}
		return nil
	}
}

// errNotNow is a fault that could not be made, because its victim is not there right now.
var errNotNow = errors.New("not now")

// victim is one of the processes of the lab's pods.
func (c *chaos) victim(text string) (int, error) {
	var all []lab.Process
	for _, p := range lab.Processes(c.Dir + "/node/") {
		if strings.Contains(p.Command, text) {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return 0, fmt.Errorf("%w: no process with %q", errNotNow, text)
	}
	return all[c.dice.IntN(len(all))].Pid, nil
}

func kill(text string) func(*chaos) error {
	return func(c *chaos) error {
		pid, err := c.victim(text)
		if err != nil {
			return err
		}
		return syscall.Kill(pid, syscall.SIGKILL)
	}
}

func pause(text string, low, high time.Duration) func(*chaos) error {
	return func(c *chaos) error {
		pid, err := c.victim(text)
		if err != nil {
			return err
		}
		return c.pause(pid, low, high)
	}
}

// pause stops a process for some time between low and high.
func (c *chaos) pause(pid int, low, high time.Duration) error {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	time.Sleep(low + time.Duration(c.dice.Int64N(int64(high-low)))) // how long it lasts is the fault
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err // one that was killed meanwhile is gone
	}
	return nil
}

func killManager(c *chaos) error {
	c.KillManager()
	return c.StartManager(c.Context())
}

func killControlPlane(c *chaos) error {
	c.KillControlPlane()
	return c.RestartControlPlane(c.Context())
}

// lockStore keeps everybody from writing to the store for some seconds.
func lockStore(c *chaos) error {
	db, err := sql.Open("sqlite", "file:"+c.Results()+"?_txlock=immediate&_pragma=busy_timeout(20000)")
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotNow, err)
	}
	time.Sleep(time.Second + time.Duration(c.dice.Int64N(int64(5*time.Second)))) // how long it lasts is the fault
	return tx.Rollback()
}
