package localnode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"
)

// followInterval is how often a followed log is looked at.
const followInterval = 100 * time.Millisecond

// logQuery is what a client wants of a log.
type logQuery struct {
	follow   bool
	previous bool
	tail     int // number of lines; -1 for all
	limit    int // bytes; -1 for all
}

func parseLogQuery(q url.Values) (logQuery, error) {
	query := logQuery{tail: -1, limit: -1}
	for _, name := range []string{"timestamps", "sinceSeconds", "sinceTime"} {
		if v := q.Get(name); v != "" && v != "false" {
			return query, fmt.Errorf("%s: the local node keeps no times of log lines", name)
		}
	}
	query.follow, query.previous = q.Get("follow") == "true", q.Get("previous") == "true"
	for name, number := range map[string]*int{"tailLines": &query.tail, "limitBytes": &query.limit} {
		if v := q.Get(name); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil || n < 0 {
				return query, fmt.Errorf("%s=%q is not a natural number", name, v)
			}
			*number = n
		}
	}
	return query, nil
}

// serveLogs answers GET /containerLogs/{namespace}/{pod}/{container}.
func (n *Node) serveLogs(w http.ResponseWriter, r *http.Request) {
	query, err := parseLogQuery(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c := n.findContainer(r.PathValue("namespace"), r.PathValue("pod"), r.PathValue("container"))
	if c == nil {
		http.Error(w, fmt.Sprintf("container %q of pod %q is not on this node", r.PathValue("container"), r.PathValue("pod")), http.StatusNotFound)
		return
	}
	run, _ := c.currentRun()
	if query.previous {
		run--
	}
	path := logPath(c.dir, run)
	if !exists(path) {
		message := fmt.Sprintf("container %q has not started yet", c.spec.Name)
		if query.previous {
			message = fmt.Sprintf("previous terminated container %q not found", c.spec.Name)
		}
		http.Error(w, message, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	ended := func() bool { now, running := c.currentRun(); return !query.follow || now != run || !running }
	_ = copyLog(r.Context(), w, path, query, ended) // the client has gone, or the log has
}

func (n *Node) findContainer(namespace, pod, name string) *container {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, w := range n.pods {
		if w.namespace != namespace || w.name != pod {
			continue
		}
		for _, c := range append(w.init[:len(w.init):len(w.init)], w.main...) {
			if c.spec.Name == name {
				return c
			}
		}
	}
	return nil
}

// currentRun is the number of the newest run that has begun, and whether it goes on.
func (c *container) currentRun() (run int32, running bool) {
	c.pod.mu.Lock()
	defer c.pod.mu.Unlock()
	return c.seen.restarts, c.seen.state.Running != nil
}

// copyLog writes a log to w and, until ended says otherwise, what is added to it.
func copyLog(ctx context.Context, w io.Writer, path string, query logQuery, ended func() bool) error {
	before, _ := os.ReadFile(path + ".old") // there is one only if the log was rotated
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	now, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	content := append(before, now...)
	if query.tail >= 0 {
		content = lastLines(content, query.tail)
	}
	out := &limited{w: w, left: query.limit}
	if _, err := out.Write(content); err != nil {
		return err
	}
	for last := false; !last; {
		last = ended() // before the reading: what was written until then is read
		if !last && !sleep(ctx, followInterval) {
			return ctx.Err()
		}
		if f, err = reopened(f, path); err != nil {
			return err
		}
		if _, err := io.Copy(out, f); err != nil {
			return err
		}
		if flusher, ok := w.(http.Flusher); ok {
			flusher.Flush()
		}
	}
	return nil
}

// reopened returns the file that now has the path, if the log was rotated.
func reopened(f *os.File, path string) (*os.File, error) {
	have, err := f.Stat()
	if err != nil {
		return f, err
	}
	now, err := os.Stat(path)
	if err != nil || os.SameFile(have, now) {
		return f, nil // a removed log is read to its end
	}
	next, err := os.Open(path)
	if err != nil {
		return f, err
	}
	_ = f.Close() // only read
	return next, nil
}

var errLimit = errors.New("the wanted number of bytes is written")

// limited writes at most left bytes; -1 is no limit.
type limited struct {
	w    io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left < 0 {
		return l.w.Write(p)
	}
	n, err := l.w.Write(p[:min(len(p), l.left)])
	l.left -= n
	if err == nil && n < len(p) {
		err = errLimit
	}
	return n, err
}
