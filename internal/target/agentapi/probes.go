package agentapi

import (
	"context"
	"net"
	"net/http"
)

// Probes are the kubelet's probes of a target pod. They carry no data and ask for no token.
type Probes struct {
	Started func() bool // QEMU was started
	Ready   func() bool // sessions may be opened
	Live    func() bool // the agent itself works; says nothing of the guest, which the agent heals
}

// Handler serves /startupz, /readyz and /livez: 200 or 503.
func (p Probes) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, holds := range map[string]func() bool{"/startupz": p.Started, "/readyz": p.Ready, "/livez": p.Live} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			if !holds() {
				http.Error(w, "no", http.StatusServiceUnavailable)
				return
			}
			_, _ = w.Write([]byte("ok\n"))
		})
	}
	return mux
}

// Serve answers on l in plain HTTP until ctx ends, and closes l. It returns nil then.
func (p Probes) Serve(ctx context.Context, l net.Listener) error { return serve(ctx, l, p.Handler()) }
