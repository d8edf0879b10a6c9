// Package v1alpha1 holds the resources of genode-operator.io/v1alpha1: TargetSession (one target and
// the session held with it), TargetPool (N equal TargetSessions) and TaskSet (a campaign).
//
// The package is data only: types, markers and constants. Units stand in the field names.
//
// +kubebuilder:object:generate=true
// +groupName=genode-operator.io
package v1alpha1
