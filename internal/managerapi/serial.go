package managerapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/target/console/desk"
	"github.com/genode-operator/genode-operator/internal/target/console/share"
	"github.com/genode-operator/genode-operator/internal/target/console/web"
)

// consoleLabel is what the manager calls itself when it asks an agent for a console. Which of its users may
// have one is the cluster's business: see consoleAccess.
const consoleLabel = "manager"

// Agent is what is needed of the agent of a target; *agentapi.Client is one.
type Agent interface {
	Attach(ctx context.Context, r desk.Request) (*web.Conn, error)
	Log(ctx context.Context, q agentapi.LogQuery) (io.ReadCloser, error)
}

// agent finds the agent of the TargetSession in the path, if the user may do that to it.
func (s *Server) agent(r *http.Request, verb, subresource string) (Agent, error) {
	namespace, name := r.PathValue("namespace"), r.PathValue("name")
	if len(validation.IsDNS1123Label(namespace)) > 0 || len(validation.IsDNS1123Subdomain(name)) > 0 {
		return nil, invalid(fmt.Sprintf("%.64q in namespace %.64q is no name of a TargetSession", name, namespace))
	}
	if err := may(r, Access{Verb: verb, Resource: "targetsessions", Subresource: subresource, Namespace: namespace, Name: name}); err != nil {
		return nil, err
	}
	if s.options.Agent != nil {
		if a, known := s.options.Agent(namespace, name); known {
			return a, nil
		}
	}
	return nil, notFound(fmt.Sprintf("TargetSession %s in namespace %s has no agent now: there is none of that name, its pod does not run yet, or it is of another class than Qemu", name, namespace))
}

// consoleAccess is what a user needs on targetsessions/console.
func consoleAccess(a share.Access) string {
	if a == share.Read {
		return "get"
	}
	return "update"
}

// console relays a serial line of a target.
func (s *Server) console(w http.ResponseWriter, r *http.Request) {
	to, done, err := s.openConsole(r)
	if err != nil {
		s.fail(w, err)
		return
	}
	defer done()
	web.Relay(r.Context(), w, r, to)
}

// openConsole opens the connection to the agent; done follows the end of the connection.
func (s *Server) openConsole(r *http.Request) (to *web.Conn, done func(), err error) {
	request, err := web.ParseQuery(r)
	if err != nil {
		return nil, nil, invalid(err.Error())
	}
	agent, err := s.agent(r, consoleAccess(request.Access), "console")
	if err != nil {
		return nil, nil, err
	}
	if err := web.Check(r); err != nil {
		return nil, nil, refused(err)
	}
	if done, err = s.stream(); err != nil {
		return nil, nil, err
	}
	request.Label, request.Peer = consoleLabel, r.RemoteAddr
	if to, err = agent.Attach(r.Context(), request); err != nil {
		done()
		return nil, nil, refused(err)
	}
	return to, done, nil
}

// serialLog copies lines of a target's serial log.
func (s *Server) serialLog(w http.ResponseWriter, r *http.Request) {
	body, done, err := s.openLog(r)
	if err != nil {
		s.fail(w, err)
		return
	}
	defer done()
	defer func() { _ = body.Close() }()
	w.Header().Set("Content-Type", "application/jsonl")
	out := &patient{ResponseWriter: w, timeout: s.writeTimeout}
	if out.Flush() != nil { // who follows a silent guest is answered, too
		return
	}
	piece := make([]byte, 32<<10)
	for {
		n, err := body.Read(piece)
		if n > 0 {
			if _, failed := out.Write(piece[:n]); failed != nil || out.Flush() != nil {
				return // the client is gone
			}
		}
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler) // the client must not take this for the whole log
		}
	}
}

func (s *Server) openLog(r *http.Request) (body io.ReadCloser, done func(), err error) {
	q, err := agentapi.ParseLogQuery(r.URL.Query())
	if err != nil {
		return nil, nil, invalid(err.Error())
	}
	agent, err := s.agent(r, "get", "log")
	if err != nil {
		return nil, nil, err
	}
	if done, err = s.stream(); err != nil {
		return nil, nil, err
	}
	if body, err = agent.Log(r.Context(), q); err != nil {
		done()
		return nil, nil, refused(err)
	}
	return body, done, nil
}

// refused is the answer when an agent does not want something, or cannot be reached.
func refused(err error) error {
	var r *web.Refused
	if errors.As(err, &r) && r.Status != http.StatusUnauthorized {
		return &problem{r.Status, r.Message}
	}
	return &problem{http.StatusBadGateway, fmt.Sprintf("the target's agent cannot be asked: %v", err)}
}
