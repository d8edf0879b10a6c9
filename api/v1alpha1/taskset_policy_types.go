package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SharingSpec sets how targets are shared with other campaigns.
type SharingSpec struct {
	// priority of the campaign: a target that is free goes to the campaign with the highest one that has
	// work for it. Running variants are not interrupted. Defaults to 0.
	// +kubebuilder:validation:Minimum=-1000
	// +kubebuilder:validation:Maximum=1000
	// +optional
	Priority *int32 `json:"priority,omitempty"`
	// weight is the campaign's share of the targets' time among campaigns of the same priority: one of
	// weight 3 gets three times as much as one of weight 1. Defaults to 1.
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	Weight int32 `json:"weight,omitempty"`
}

// ConnectionPolicy says how long a session lives.
//
// +kubebuilder:validation:Enum=Persistent;PerVariant
type ConnectionPolicy string

const (
	// ConnectionPersistent sends many variants through one session.
	ConnectionPersistent ConnectionPolicy = "Persistent"
	// ConnectionPerVariant opens a session for each variant.
	ConnectionPerVariant ConnectionPolicy = "PerVariant"
)

// SuspendPolicy says what becomes of running variants when a campaign is suspended.
//
// +kubebuilder:validation:Enum=Finish;Stop
type SuspendPolicy string

const (
	// SuspendFinish lets them end.
	SuspendFinish SuspendPolicy = "Finish"
	// SuspendStop ends them on their targets; they are run again, as the same attempt.
	SuspendStop SuspendPolicy = "Stop"
)

// TargetReset says what is done to a target before each variant.
//
// +kubebuilder:validation:Enum=None;Restore;Reboot
type TargetReset string

const (
	// ResetNone leaves the target as it is; tasks of the earlier variant are gone.
	ResetNone TargetReset = "None"
	// ResetRestore loads the snapshot that was taken when the guest was first ready.
	ResetRestore TargetReset = "Restore"
	// ResetReboot boots the target anew.
	ResetReboot TargetReset = "Reboot"
)

// OptimizationGoal is what a target's optimizer works for.
//
// +kubebuilder:validation:Enum=None;Fairness;Utilization
type OptimizationGoal string

// Goals of the optimizer.
const (
	GoalNone        OptimizationGoal = "None"
	GoalFairness    OptimizationGoal = "Fairness"
	GoalUtilization OptimizationGoal = "Utilization"
)

// AdmissionControl is what a target's admission control and optimizer are told. Generation 2017 gets it as
// a message of its own, 1608b as a part of the task-set; 1608a and 1802 have no way to be told.
type AdmissionControl struct {
	// goal of the optimization: None, Fairness or Utilization.
	// +required
	Goal OptimizationGoal `json:"goal,omitempty"`
	// queryIntervalMilliseconds is the time between two looks of the optimizer at its monitor (generation
	// 2017 only). Defaults to 1000.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600000
	// +optional
	QueryIntervalMilliseconds *int32 `json:"queryIntervalMilliseconds,omitempty"`
}

// QuarantinedTarget is a target that gets no variant for a while.
type QuarantinedTarget struct {
	// name of the TargetSession.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +required
	Name string `json:"name,omitempty"`
	// until is when it is tried again.
	// +required
	Until metav1.Time `json:"until,omitempty,omitzero"`
	// reason of the newest failure, a constant such as TimedOut or InUse.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Reason string `json:"reason,omitempty"`
}
