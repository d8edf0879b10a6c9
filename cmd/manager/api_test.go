package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/go-logr/logr/testr"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/genode-operator/genode-operator/internal/managerapi"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// TestTheAPIServerDecidesWhoReads asks a real one about real tokens. W10 of taskgen's defects: everybody could do
// everything.
func TestTheAPIServerDecidesWhoReads(t *testing.T) {
	config := testenv.Start(t)
	mine, others := testenv.Namespace(t, config), testenv.Namespace(t, config)
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	authenticate, err := byToken(config, client, testr.New(t))
	if err != nil {
		t.Fatal(err)
	}
	registry := session.NewRegistry(nil)
	registry.Enter(mine+"/a", "127.0.0.1:1")
	registry.Enter(others+"/b", "127.0.0.1:2")
	server := httptest.NewTLSServer(managerapi.New(managerapi.Options{Registry: registry, Authenticate: authenticate, Log: testr.New(t)}).Handler())
	defer server.Close()

	cases := map[string]struct {
		token   string
		path    string
		status  int
		targets []string
	}{
		"no token":                          {"", "/v1/sessions", http.StatusUnauthorized, nil},
		"a token that is none":              {"aaaa.bbbb.cccc", "/v1/sessions", http.StatusUnauthorized, nil},
		"a user without rights":             {token(t, config, mine, "idle", false), "/v1/sessions", http.StatusOK, []string{}},
		"a user without rights, by name":    {token(t, config, mine, "idle-2", false), "/v1/sessions?namespace=" + mine, http.StatusForbidden, nil},
		"who may list in one namespace":     {token(t, config, mine, "reader", true), "/v1/sessions", http.StatusOK, []string{mine + "/a"}},
		"who may list there, asks for more": {token(t, config, mine, "reader-2", true), "/v1/sessions?namespace=" + others, http.StatusForbidden, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+tc.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if tc.token != "" {
				req.Header.Set("Authorization", "Bearer "+tc.token)
			}
			resp, err := server.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != tc.status {
				t.Fatalf("%s, want %d", resp.Status, tc.status)
			}
			if tc.status != http.StatusOK {
				return
			}
			var got managerapi.Sessions
			if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
				t.Fatal(err)
			}
			if len(got.Items) != len(tc.targets) || len(got.Items) == 1 && got.Items[0].Target != tc.targets[0] {
				t.Errorf("sessions %+v, want %v", got.Items, tc.targets)
			}
		})
	}
}

// TestOnlyLoopbackIsOpen serves on both kinds of addresses.
func TestOnlyLoopbackIsOpen(t *testing.T) {
	config := testenv.Start(t)
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	for address, tc := range map[string]struct {
		scheme string
		status int
	}{
		"127.0.0.1:8082": {"http", http.StatusOK}, ":8082": {"https", http.StatusUnauthorized}, "0.0.0.0:8082": {"https", http.StatusUnauthorized},
	} {
		t.Run(address, func(t *testing.T) {
			o := managerapi.Options{Registry: session.NewRegistry(nil), Log: testr.New(t)}
			certificates, err := secure(&o, address, config, client)
			if err != nil {
				t.Fatal(err)
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- managerapi.New(o).Serve(ctx, l, certificates...) }()
			defer func() {
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			}()
			unverified := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
			defer unverified.CloseIdleConnections()
			resp, err := unverified.Get(tc.scheme + "://" + l.Addr().String() + "/v1/sessions")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != tc.status {
				t.Errorf("%s without a token: %s, want %d", tc.scheme, resp.Status, tc.status)
			}
		})
	}
}

// token is that of a new service account, which may list TargetSessions in its namespace if reader is true.
func token(t *testing.T, config *rest.Config, namespace, name string, reader bool) string {
	t.Helper()
	api := kubernetes.NewForConfigOrDie(config)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := api.CoreV1().ServiceAccounts(namespace).Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if reader {
		role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{"genode-operator.io"}, Resources: []string{"targetsessions"}, Verbs: []string{"list"}},
		}}
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: name, Namespace: namespace}},
		}
		if _, err := api.RbacV1().Roles(namespace).Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := api.RbacV1().RoleBindings(namespace).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	request, err := api.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}
