package localnode

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// apiClient is the name in the certificate of this API's only client: the API server, which asks
// on behalf of users that may read a pod's logs.
const apiClient = "kube-apiserver-kubelet-client"

// serve starts the node's HTTPS API on a free port of loopback: what "kubectl logs" needs of a
// kubelet's.
func (n *Node) serve(cert, key, clientCA string) error {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("certificate of the node's API: %w", err)
	}
	pem, err := os.ReadFile(clientCA)
	if err != nil {
		return fmt.Errorf("authority of the node's clients: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("authority of the node's clients: %s holds no certificate", clientCA)
	}
	listener, err := tls.Listen("tcp", nodeAddress+":0", &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		return fmt.Errorf("listen for the node's API: %w", err)
	}
	n.port = int32(listener.Addr().(*net.TCPAddr).Port)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", n.serveLogs)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "the local node serves logs only: no exec, attach, port-forward or statistics", http.StatusNotImplemented)
	})
	serving, stopServing := context.WithCancel(context.Background())
	server := &http.Server{
		Handler: authenticated(mux), ReadHeaderTimeout: apiTimeout,
		BaseContext: func(net.Listener) context.Context { return serving },
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			n.log.Error(err, "The node's API has ended")
		}
	}()
	n.closers = append(n.closers, func() {
		stopServing() // ends those who follow a log
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
		<-ended
	})
	return nil
}

// authenticated lets in the API server only.
func authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name := r.TLS.PeerCertificates[0].Subject.CommonName; name != apiClient {
			http.Error(w, fmt.Sprintf("the local node serves the API server only, not %q", name), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
