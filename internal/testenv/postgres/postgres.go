// Package postgres runs a real PostgreSQL server for a test, out of Debian's package, in a folder of its own and on
// a socket in that folder.
package postgres

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/genode-operator/genode-operator/internal/devcluster/process"
)

// readyTimeout and stopTimeout suit a machine that is busy compiling; both take less than a second else.
const (
	readyTimeout = time.Minute
	stopTimeout  = 30 * time.Second
)

// Server is a PostgreSQL server that ends with its test.
type Server struct {
	tb      testing.TB
	bin     string // folder of the programs
	dir     string // data and socket
	as      *syscall.Credential
	process *process.Process
	log     *output
	made    int // databases
}

// Start makes and starts a server. The test is skipped where PostgreSQL is not installed; "make unit" installs it.
func Start(tb testing.TB) *Server {
	tb.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		tb.Skip("needs PostgreSQL; install it with: hack/deps.sh postgres")
	}
	slices.Sort(found)
	s := &Server{tb: tb, bin: filepath.Dir(found[len(found)-1]), log: &output{}}
	var err error
	if s.dir, err = os.MkdirTemp("", "postgres"); err != nil { // t.TempDir is for nobody but us, and its path too long for a socket
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		s.Stop()
		if err := os.RemoveAll(s.dir); err != nil {
			tb.Error(err)
		}
	})
	s.initialize()
	s.Run()
	return s
}

// initialize makes the data folder. PostgreSQL refuses to run as root, so that a root's test lends it the account
// that the package has made.
func (s *Server) initialize() {
	s.tb.Helper()
	if os.Getuid() == 0 {
		account, err := user.Lookup("postgres")
		if err != nil {
			account, err = user.Lookup("nobody")
		}
		if err != nil {
			s.tb.Fatalf("find an account for PostgreSQL: %v", err)
		}
		uid, _ := strconv.Atoi(account.Uid)
		gid, _ := strconv.Atoi(account.Gid)
		s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(s.dir, uid, gid); err != nil {
			s.tb.Fatal(err)
		}
	}
	cmd := s.command("initdb", "-D", filepath.Join(s.dir, "data"), "-U", "tester", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	if out, err := cmd.CombinedOutput(); err != nil {
		s.tb.Fatalf("initdb: %v\n%s", err, out)
	}
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), filepath.Join(s.bin, name), args...)
	cmd.Dir, cmd.Env = s.dir, []string{"LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	return cmd
}

// Run starts the server, for the first time or after a stop, and waits until it takes connections.
func (s *Server) Run() {
	s.tb.Helper()
	cmd := s.command("postgres", "-D", filepath.Join(s.dir, "data"), "-k", s.dir, "-c", "listen_addresses=", "-c", "max_connections=50")
	cmd.Stderr = s.log
	var err error
	if s.process, err = process.Start(cmd, false); err != nil {
		s.tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.dsn("postgres"))
		if err == nil {
			_ = conn.Close(ctx)
			return
		}
		select {
		case <-s.process.Done():
			s.tb.Fatalf("PostgreSQL has ended: %v\n%s", err, s.log)
		case <-ctx.Done():
			s.tb.Fatalf("PostgreSQL does not answer: %v\n%s", err, s.log)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Stop ends the server at once, as a crash does: what was not flushed is lost.
func (s *Server) Stop() {
	s.tb.Helper()
	if s.process == nil {
		return
	}
	s.process.Signal(syscall.SIGQUIT) // it tells its processes, which are no part of its group
	select {
	case <-s.process.Done():
	case <-time.After(stopTimeout):
		s.tb.Error("PostgreSQL does not end")
	}
	s.process = nil
}

// Database makes an empty database and returns its DSN.
func (s *Server) Database() string {
	s.tb.Helper()
	s.made++
	name := fmt.Sprintf("results%d", s.made)
	s.Exec("postgres", "CREATE DATABASE "+name)
	return s.dsn(name)
}

// Exec runs statements in a database, as its administrator.
func (s *Server) Exec(database, statements string) {
	s.tb.Helper()
	conn, err := pgx.Connect(context.Background(), s.dsn(database))
	if err != nil {
		s.tb.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(context.Background(), statements); err != nil {
		s.tb.Fatal(err)
	}
}

func (s *Server) dsn(database string) string {
	query := url.Values{"host": {s.dir}, "user": {"tester"}}
	return (&url.URL{Scheme: "postgres", Path: "/" + database, RawQuery: query.Encode()}).String()
}

// output keeps what the server says.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
