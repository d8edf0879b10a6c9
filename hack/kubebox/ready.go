package main

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const pollInterval = 50 * time.Millisecond

// awaitReady waits until the API server answers /readyz, with all its post-start hooks done.
func (c *cluster) awaitReady(ctx context.Context, failed <-chan error, timeout time.Duration) error {
	return c.await(ctx, failed, timeout, "the API server", func(ctx context.Context, api kubernetes.Interface) error {
		return api.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
}

// awaitDefaultServiceAccount waits until pods can be made in the namespace "default": admission
// refuses a pod whose service account does not exist, and the controller-manager makes it.
func (c *cluster) awaitDefaultServiceAccount(ctx context.Context, failed <-chan error, timeout time.Duration) error {
	return c.await(ctx, failed, timeout, "the controller-manager", func(ctx context.Context, api kubernetes.Interface) error {
		_, err := api.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// await polls ready until it succeeds, a component fails, or timeout is over; what names the
// component waited for.
func (c *cluster) await(ctx context.Context, failed <-chan error, timeout time.Duration, what string,
	ready func(context.Context, kubernetes.Interface) error) error {
	config, err := clientcmd.BuildConfigFromFlags("", c.path("kubeconfig"))
	if err != nil {
		return fmt.Errorf("read kubeconfig: %w", err)
	}
	config.Timeout = 2 * time.Second // of one request
	config.QPS = -1                  // the poll interval is limit enough
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		err := ready(ctx, api)
		if err == nil {
			return nil
		}
		select {
		case failure := <-failed:
			return failure
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready after %s: %w", what, timeout, err)
		case <-time.After(pollInterval):
		}
	}
}
