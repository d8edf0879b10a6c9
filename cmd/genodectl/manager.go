package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// managerOptions say where the manager's API is.
type managerOptions struct {
	url, token, namespace string
	insecure              bool
}

func (m *managerOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&m.url, "manager", os.Getenv("GENODE_MANAGER"), "address of the manager's API, for example http://127.0.0.1:8082; $GENODE_MANAGER by default")
	f.StringVar(&m.token, "token", "", "bearer token for it, as kubectl create token prints it; $GENODE_TOKEN by default")
	f.BoolVar(&m.insecure, "insecure-skip-tls-verify", false, "believe whatever certificate the manager shows; its own is made anew at each start, so this is for a port-forward")
	if f.Lookup("namespace") == nil {
		f.StringVarP(&m.namespace, "namespace", "n", "", "namespace; that of the context of the kubeconfig by default")
	}
}

// endpoint is the address of a request, and the header that says who asks.
func (m *managerOptions) endpoint(path string, query url.Values) (string, http.Header, error) {
	if m.url == "" {
		return "", nil, errors.New("where is the manager? Name its API with --manager or GENODE_MANAGER, for example http://127.0.0.1:8082 (kubectl -n genode-operator-system port-forward deploy/genode-operator-manager 8082)")
	}
	header := http.Header{}
	if token := cmp.Or(m.token, os.Getenv("GENODE_TOKEN")); token != "" { // as a flag's default, --help would show it
		header.Set("Authorization", "Bearer "+token)
	}
	return strings.TrimSuffix(m.url, "/") + path + "?" + query.Encode(), header, nil
}

// unreachable explains why the manager could not be asked.
func unreachable(err error) error {
	if unverified := (*tls.CertificateVerificationError)(nil); errors.As(err, &unverified) {
		return fmt.Errorf("ask the manager: %w; the manager makes its certificate itself: use --insecure-skip-tls-verify where the way to it is safe, as a port-forward is", err)
	}
	return fmt.Errorf("ask the manager: %w", err)
}

// home settles the namespace: that of the context of the kubeconfig, if none is given.
func (m *managerOptions) home() error {
	if m.namespace != "" {
		return nil
	}
	var err error
	if m.namespace, _, err = (&clusterOptions{}).loader().Namespace(); err != nil {
		return fmt.Errorf("find the namespace: %w; name it with -n", err)
	}
	return nil
}

// get reads from the manager's API; the body has to be closed.
func (m *managerOptions) get(ctx context.Context, path string, query url.Values) (io.ReadCloser, error) {
	address, header, err := m.endpoint(path, query)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("--manager %q: %w", m.url, err)
	}
	request.Header = header
	response, err := m.client().Do(request)
	if err != nil {
		return nil, unreachable(err)
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		const most = 4096
		text, _ := io.ReadAll(io.LimitReader(response.Body, most))
		return nil, fmt.Errorf("the manager says %s: %s", response.Status, strings.TrimSpace(string(text)))
	}
	return response.Body, nil
}

// client is the HTTP client for the manager.
func (m *managerOptions) client() *http.Client {
	if !m.insecure {
		return http.DefaultClient
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}}}
}

// results copies the results of a TaskSet.
func (m *managerOptions) results(ctx context.Context, out io.Writer, name, format, where string) error {
	if err := m.home(); err != nil {
		return err
	}
	query := url.Values{"format": {format}}
	if where != "" {
		query.Set("where", where)
	}
	body, err := m.get(ctx, fmt.Sprintf("/v1/namespaces/%s/tasksets/%s/results", url.PathEscape(m.namespace), url.PathEscape(name)), query)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(out, body)
	return err
}

func sessionsCommand() *cobra.Command {
	m := &managerOptions{}
	var output string
	var follow bool
	cmd := &cobra.Command{
		Use:   "sessions",
		Short: "List the sessions that the manager has open with targets",
		Example: `  kubectl genode sessions --manager http://127.0.0.1:8082
  kubectl genode sessions -w -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "table" && output != "json" {
				return fmt.Errorf("-o: %q is not known; use table or json", output)
			}
			query := url.Values{}
			if follow {
				query.Set("watch", "1")
			}
			if m.namespace != "" {
				query.Set("namespace", m.namespace)
			}
			body, err := m.get(cmd.Context(), "/v1/sessions", query)
			if err != nil {
				return err
			}
			defer body.Close()
			if output == "json" || follow {
				_, err := io.Copy(cmd.OutOrStdout(), body)
				return err
			}
			return printSessions(cmd.OutOrStdout(), body)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&output, "output", "o", "table", "table or json")
	f.BoolVarP(&follow, "watch", "w", false, "print a line of JSON whenever a session opens or closes")
	m.flags(cmd)
	f.Lookup("namespace").Usage = "only those with targets in this namespace"
	return cmd
}

func printSessions(out io.Writer, body io.Reader) error {
	var list struct {
		Items []struct {
			ID       uint64    `json:"id"`
			Target   string    `json:"target"`
			Peer     string    `json:"peer"`
			Since    time.Time `json:"since"`
			BytesIn  int64     `json:"bytesIn"`
			BytesOut int64     `json:"bytesOut"`
			Variants int64     `json:"variants"`
		} `json:"items"`
	}
	if err := json.NewDecoder(body).Decode(&list); err != nil {
		return fmt.Errorf("read the manager's answer: %w", err)
	}
	const gap = 3
	w := tabwriter.NewWriter(out, 0, 0, gap, ' ', 0)
	fmt.Fprintln(w, "ID\tTARGET\tPEER\tSINCE\tRECEIVED\tSENT\tVARIANTS")
	for _, s := range list.Items {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%d\t%d\t%d\n", s.ID, s.Target, s.Peer, s.Since.Format(time.RFC3339), s.BytesIn, s.BytesOut, s.Variants)
	}
	return w.Flush()
}
