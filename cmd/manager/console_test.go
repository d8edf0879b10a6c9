package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/internal/managerapi"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/testenv"
)

// grant binds a ClusterRole of config/rbac to a service account, in its namespace.
func grant(t *testing.T, config *rest.Config, namespace, account, file string) {
	t.Helper()
	text, err := os.ReadFile("../../config/rbac/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var shipped rbacv1.ClusterRole
	if err := yaml.UnmarshalStrict(text, &shipped); err != nil {
		t.Fatal(err)
	}
	rbac := kubernetes.NewForConfigOrDie(config).RbacV1()
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "shipped-" + account}, Rules: shipped.Rules}
	if _, err := rbac.Roles(namespace).Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: account, Namespace: namespace}},
	}
	if _, err := rbac.RoleBindings(namespace).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	heeded(t, config, namespace, account)
}

// heeded waits until the API server has taken note of the rights: the manager keeps a refusal for a while.
func heeded(t *testing.T, config *rest.Config, namespace, account string) {
	t.Helper()
	reviews := kubernetes.NewForConfigOrDie(config).AuthorizationV1().SubjectAccessReviews()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: "system:serviceaccount:" + namespace + ":" + account,
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: "get", Group: "genode-operator.io", Resource: "targetsessions", Subresource: "log", Namespace: namespace, Name: "arm-0",
		},
	}}
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		answer, err := reviews.Create(ctx, review, metav1.CreateOptions{})
		return err == nil && answer.Status.Allowed, err
	})
	if err != nil {
		t.Fatalf("the API server does not heed the role of %s: %v", account, err)
	}
}

// TestRightsOnSerialLines asks a real API server, with the roles that are shipped. There is no agent, so whoever
// is let in is told so.
func TestRightsOnSerialLines(t *testing.T) {
	config := testenv.Start(t)
	namespace := testenv.Namespace(t, config)
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	authenticate, err := byToken(config, client, testr.New(t))
	if err != nil {
		t.Fatal(err)
	}
	api := managerapi.New(managerapi.Options{Registry: session.NewRegistry(nil), Authenticate: authenticate, Log: testr.New(t)})
	server := httptest.NewTLSServer(api.Handler())
	defer server.Close()
	const letIn = http.StatusNotFound
	cases := []struct {
		role              string // file; "": none
		log, read, typing int
	}{
		{"", http.StatusForbidden, http.StatusForbidden, http.StatusForbidden},
		{"viewer_role.yaml", letIn, http.StatusForbidden, http.StatusForbidden},
		{"editor_role.yaml", letIn, letIn, letIn},
	}
	for i, tc := range cases {
		account := "account-" + string(rune('a'+i))
		bearer := token(t, config, namespace, account, true) // to list TargetSessions is not enough
		if tc.role != "" {
			grant(t, config, namespace, account, tc.role)
		}
		for what, want := range map[string]int{"log": tc.log, "console": tc.read, "console?access=write": tc.typing, "console?access=steal": tc.typing} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/namespaces/"+namespace+"/targetsessions/arm-0/"+what, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer "+bearer)
			response, err := server.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode != want {
				t.Errorf("%q, %s: %s, want %d", tc.role, what, response.Status, want)
			}
		}
	}
}
