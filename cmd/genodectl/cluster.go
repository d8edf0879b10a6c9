package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/local"
)

// clusterOptions say which cluster, if any.
type clusterOptions struct {
	wanted                         bool
	kubeconfig, context, namespace string
}

func (c *clusterOptions) flags(cmd *cobra.Command, plugin bool) {
	f := cmd.Flags()
	f.BoolVar(&c.wanted, "cluster", plugin, "in the Kubernetes cluster instead of here")
	f.StringVar(&c.kubeconfig, "kubeconfig", "", "kubeconfig file; $KUBECONFIG or ~/.kube/config by default")
	f.StringVar(&c.context, "context", "", "context of the kubeconfig")
	f.StringVarP(&c.namespace, "namespace", "n", "", "namespace; that of the context by default")
}

// loader reads the kubeconfig.
func (c *clusterOptions) loader() clientcmd.ClientConfig {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = c.kubeconfig
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: c.context})
}

// connect makes a client, and settles the namespace.
func (c *clusterOptions) connect() (client.WithWatch, error) {
	loader := c.loader()
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("find the cluster: %w; set KUBECONFIG, or name a file with --kubeconfig", err)
	}
	if c.namespace == "" {
		if c.namespace, _, err = loader.Namespace(); err != nil {
			return nil, fmt.Errorf("find the namespace: %w", err)
		}
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	return client.NewWithWatch(config, client.Options{Scheme: scheme})
}

// run creates the TaskSet and follows it to its end.
func (c *clusterOptions) run(ctx context.Context, l *loaded, log io.Writer) error {
	k, err := c.connect()
	if err != nil {
		return err
	}
	if s := l.spec.Targets.Selector; s == nil || len(s.MatchLabels)+len(s.MatchExpressions) == 0 {
		return errors.New("spec.targets.selector is empty: in a cluster the file has to say which targets run the campaign, for example {matchLabels: {genode-operator.io/pool: my-pool}}")
	}
	ts := &v1alpha1.TaskSet{ObjectMeta: metav1.ObjectMeta{Name: l.name, Namespace: c.namespace}, Spec: l.spec}
	switch err := k.Create(ctx, ts); {
	case apierrors.IsAlreadyExists(err):
		return fmt.Errorf("TaskSet %s/%s exists already; give this one another --name, or delete that one", c.namespace, l.name)
	case err != nil:
		return fmt.Errorf("create TaskSet %s/%s: %w", c.namespace, l.name, err)
	}
	fmt.Fprintf(log, "created TaskSet %s/%s; Ctrl-C stops following it, not the campaign\n", c.namespace, l.name)
	return c.follow(ctx, k, ts, log)
}

// follow shows the progress of a TaskSet until it is complete, or cannot be run.
func (c *clusterOptions) follow(ctx context.Context, k client.WithWatch, ts *v1alpha1.TaskSet, log io.Writer) error {
	show := newMeter(log)
	defer show.end()
	for {
		w, err := k.Watch(ctx, &v1alpha1.TaskSetList{}, client.InNamespace(ts.Namespace),
			client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector("metadata.name", ts.Name)})
		if err != nil {
			return fmt.Errorf("watch TaskSet %s: %w", ts.Name, err)
		}
		done, err := c.events(ctx, w, show)
		w.Stop()
		if done || err != nil {
			return err
		}
	}
}

// events reads a watch until the campaign is over, or the watch ends.
func (c *clusterOptions) events(ctx context.Context, w watch.Interface, show *meter) (done bool, err error) {
	for {
		select {
		case <-ctx.Done():
			return true, errFailed
		case event, open := <-w.ResultChan():
			if !open {
				return false, nil
			}
			ts, is := event.Object.(*v1alpha1.TaskSet)
			if !is {
				continue // an expired watch: another one follows
			}
			if event.Type == watch.Deleted {
				return true, fmt.Errorf("TaskSet %s was deleted", ts.Name)
			}
			if done, err := ended(ts, show); done || err != nil {
				return done, err
			}
		}
	}
}

// ended shows the newest state and says whether it is the last one.
func ended(ts *v1alpha1.TaskSet, show *meter) (bool, error) {
	if v := meta.FindStatusCondition(ts.Status.Conditions, v1alpha1.ConditionValid); v != nil && v.Status == metav1.ConditionFalse && v.ObservedGeneration == ts.Generation {
		return true, fmt.Errorf("TaskSet %s cannot be run: %s", ts.Name, v.Message)
	}
	p := progressOf(ts)
	show.show(p)
	switch {
	case p.State != campaign.StateComplete:
		return false, nil
	case p.Tally.Failed > 0:
		return true, errFailed
	}
	return true, nil
}

// progressOf reads the status of a TaskSet as the engine would tell it.
func progressOf(ts *v1alpha1.TaskSet) local.Progress {
	p := local.Progress{Targets: -1}
	p.State = campaign.StateLoading
	if v := ts.Status.Variants; v != nil {
		p.Total, _ = strconv.ParseUint(v.Total, 10, 64)
		p.Skipped, p.Running = uint64(v.Skipped), int(v.Running)
		p.Tally.Succeeded, p.Tally.Failed, p.Tally.Retried = v.Succeeded, v.Failed, v.Retried
		p.Finished = uint64(v.Succeeded + v.Failed)
		p.State = campaign.StateRunning
	}
	if meta.IsStatusConditionTrue(ts.Status.Conditions, v1alpha1.ConditionComplete) {
		p.State = campaign.StateComplete
	}
	return p
}

// patch changes a TaskSet.
func (c *clusterOptions) patch(ctx context.Context, name, patch string) error {
	k, err := c.connect()
	if err != nil {
		return err
	}
	ts := &v1alpha1.TaskSet{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: c.namespace}}
	if err := k.Patch(ctx, ts, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		return fmt.Errorf("change TaskSet %s/%s: %w", c.namespace, name, err)
	}
	return nil
}

// retry raises spec.retryFailed.
func (c *clusterOptions) retry(ctx context.Context, name string) error {
	k, err := c.connect()
	if err != nil {
		return err
	}
	var ts v1alpha1.TaskSet
	if err := k.Get(ctx, types.NamespacedName{Namespace: c.namespace, Name: name}, &ts); err != nil {
		return fmt.Errorf("read TaskSet %s/%s: %w", c.namespace, name, err)
	}
	return c.patch(ctx, name, fmt.Sprintf(`{"spec":{"retryFailed":%d}}`, ptr.Deref(ts.Spec.RetryFailed, 0)+1))
}
