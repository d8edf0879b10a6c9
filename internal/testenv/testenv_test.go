package testenv_test

import (
	"context"
	"os"
	"testing"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/genode-operator/genode-operator/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

func TestTheAPIServerServesOurKinds(t *testing.T) {
	config := testenv.Start(t)
	client, err := apiextensions.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"targetpools.genode-operator.io", "targetsessions.genode-operator.io", "tasksets.genode-operator.io"} {
		if _, err := client.ApiextensionsV1().CustomResourceDefinitions().Get(context.Background(), name, metav1.GetOptions{}); err != nil {
			t.Error(err)
		}
	}
	if a, b := testenv.Namespace(t, config), testenv.Namespace(t, config); a == b {
		t.Errorf("both namespaces are called %s", a)
	}
}
