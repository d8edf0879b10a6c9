package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/authentication/authenticatorfactory"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	authenticationv1 "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationv1 "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/cert"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/controllers/targetsession"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/managerapi"
	"github.com/genode-operator/genode-operator/internal/session"
)

// addAPI serves the manager's API while the manager leads: who does not lead has no session.
func addAPI(mgr ctrl.Manager, address string, registry *session.Registry, store results.Store, hub *targetsession.Hub) error {
	if address == "0" || address == "" {
		return nil
	}
	o := managerapi.Options{Registry: registry, Store: store, Agent: agents(hub), Log: mgr.GetLogger().WithName("api")}
	certificates, err := secure(&o, address, mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return err
	}
	return mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("--api-bind-address=%s: %w", address, err)
		}
		o.Log.Info("Serving the manager's API", "address", l.Addr().String())
		return managerapi.New(o).Serve(ctx, l, certificates...)
	}))
}

// agents finds the agents that the hub is connected to.
func agents(hub *targetsession.Hub) func(namespace, name string) (managerapi.Agent, bool) {
	return func(namespace, name string) (managerapi.Agent, bool) {
		return hub.Client(types.NamespacedName{Namespace: namespace, Name: name})
	}
}

// secure decides who is let in: on loopback everybody, with plain HTTP; on every other address who has a token
// that the API server knows, with TLS.
func secure(o *managerapi.Options, address string, config *rest.Config, client *http.Client) ([]tls.Certificate, error) {
	if managerapi.IsLoopback(address) {
		o.Authenticate = managerapi.Anybody
		return nil, nil
	}
	var err error
	if o.Authenticate, err = byToken(config, client, o.Log); err != nil {
		return nil, err
	}
	certificate, err := selfSigned()
	return []tls.Certificate{certificate}, err
}

func selfSigned() (tls.Certificate, error) {
	certificate, key, err := cert.GenerateSelfSignedCertKey("localhost", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a certificate for the manager's API: %w", err)
	}
	return tls.X509KeyPair(certificate, key)
}

// byToken asks the API server about bearer tokens (TokenReview) and what their users may do
// (SubjectAccessReview). Answers are kept: good ones for a minute, refusals for half of one.
func byToken(config *rest.Config, client *http.Client, log logr.Logger) (managerapi.Authenticate, error) {
	tokens, err := authenticationv1.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, err
	}
	rights, err := authorizationv1.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, err
	}
	again := &wait.Backoff{Duration: 500 * time.Millisecond, Factor: 1.5, Jitter: 0.2, Steps: 5}
	users, _, err := authenticatorfactory.DelegatingAuthenticatorConfig{
		Anonymous: &apiserver.AnonymousAuthConfig{Enabled: false}, CacheTTL: time.Minute,
		TokenAccessReviewClient: tokens, TokenAccessReviewTimeout: 10 * time.Second, WebhookRetryBackoff: again,
	}.New()
	if err != nil {
		return nil, fmt.Errorf("set up TokenReviews: %w", err)
	}
	access, err := authorizerfactory.DelegatingAuthorizerConfig{
		SubjectAccessReviewClient: rights, AllowCacheTTL: time.Minute, DenyCacheTTL: 30 * time.Second, WebhookRetryBackoff: again,
	}.New()
	if err != nil {
		return nil, fmt.Errorf("set up SubjectAccessReviews: %w", err)
	}
	return func(r *http.Request) (managerapi.May, error) {
		found, known, err := users.AuthenticateRequest(r)
		if err != nil || !known {
			log.V(2).Info("Token refused", "peer", r.RemoteAddr, "reason", fmt.Sprint(err)) // also when nobody could be asked
			return nil, managerapi.ErrUnauthenticated
		}
		return func(ctx context.Context, a managerapi.Access) error {
			decision, reason, err := access.Authorize(ctx, authorizer.AttributesRecord{
				User: found.User, Verb: a.Verb, Namespace: a.Namespace, Name: a.Name, Resource: a.Resource, Subresource: a.Subresource,
				APIGroup: v1alpha1.GroupVersion.Group, APIVersion: v1alpha1.GroupVersion.Version, ResourceRequest: true,
			})
			if err == nil && decision != authorizer.DecisionAllow {
				err = fmt.Errorf("%w: user %s cannot %s %s in namespace %q %s", managerapi.ErrForbidden, found.User.GetName(), a.Verb, a.Resource, a.Namespace, reason)
			}
			return err
		}, nil
	}, nil
}
