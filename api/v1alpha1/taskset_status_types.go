package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// TaskSetStatus is the state of a campaign. Its size does not depend on the number of variants.
type TaskSetStatus struct {
	// conditions of the campaign: Ready, Valid, Accepted, BinariesReady, Progressing, Complete, Failed.
	// +kubebuilder:validation:MaxItems=8
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation of the spec that this status is about.
	// +kubebuilder:validation:Minimum=0
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// progress is finished/total variants, for people.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	// +optional
	Progress string `json:"progress,omitempty"`
	// variants counts the variants.
	// +optional
	Variants *VariantCounts `json:"variants,omitempty"`
	// analysis counts what spec.analysis has found.
	// +optional
	Analysis *AnalysisCounts `json:"analysis,omitempty"`
	// seed of everything that is random in the campaign; absent when nothing is. Put it into spec.seed of
	// another TaskSet to get the same variants.
	// +optional
	Seed *int64 `json:"seed,omitempty"`
	// startTime is when the first variant was handed out.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`
	// completionTime is when the last variant got its result.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`
	// tasks holds job statistics of the first 32 tasks.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=name
	// +optional
	Tasks []TaskStatistics `json:"tasks,omitempty"`
	// recentJobs holds the newest job results, newest first; all of them are in the store at resultsRef.
	// +kubebuilder:validation:MaxItems=40
	// +listType=atomic
	// +optional
	RecentJobs []JobResult `json:"recentJobs,omitempty"`
	// recentFailures holds the newest failed attempts, newest first.
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	// +optional
	RecentFailures []AttemptFailure `json:"recentFailures,omitempty"`
	// retriedFailed is the value of spec.retryFailed that was acted upon.
	// +kubebuilder:validation:Minimum=0
	// +optional
	RetriedFailed int64 `json:"retriedFailed,omitempty"`
	// quarantinedTargets get no variant for a while, because several attempts in a row failed on them.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=name
	// +optional
	QuarantinedTargets []QuarantinedTarget `json:"quarantinedTargets,omitempty"`
	// resultsRef says where the full record is.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +optional
	ResultsRef string `json:"resultsRef,omitempty"`
}

// VariantCounts counts the variants of a campaign.
type VariantCounts struct {
	// total number of variants, as a decimal number: it may be larger than 2^63.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=80
	// +optional
	Total string `json:"total,omitempty"`
	// running variants, on a target right now.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Running int32 `json:"running"`
	// succeeded variants: complete by the completion rule.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Succeeded int64 `json:"succeeded"`
	// skipped variants: spec.where leaves them out, or spec.analysis.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Skipped int64 `json:"skipped"`
	// failed variants: no attempt left.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Failed int64 `json:"failed"`
	// retried counts the attempts that were not the last one of their variant.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Retried int64 `json:"retried"`
}

// TaskStatistics sums up the jobs of one task over all recorded variants.
type TaskStatistics struct {
	// name of the task.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +required
	Name string `json:"name,omitempty"`
	// jobs that ended.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Jobs int64 `json:"jobs"`
	// failedJobs are those of them that ended otherwise than by a normal exit.
	// +kubebuilder:validation:Minimum=0
	// +optional
	FailedJobs int64 `json:"failedJobs"`
	// minResponseMilliseconds is the shortest time from start to end of a job.
	// +kubebuilder:validation:Minimum=0
	// +optional
	MinResponseMilliseconds *int64 `json:"minResponseMilliseconds,omitempty"`
	// meanResponseMilliseconds is the mean time from start to end of a job.
	// +kubebuilder:validation:Minimum=0
	// +optional
	MeanResponseMilliseconds *int64 `json:"meanResponseMilliseconds,omitempty"`
	// maxResponseMilliseconds is the longest time from start to end of a job.
	// +kubebuilder:validation:Minimum=0
	// +optional
	MaxResponseMilliseconds *int64 `json:"maxResponseMilliseconds,omitempty"`
}

// JobResult is the result of one job.
type JobResult struct {
	// variant number, decimal.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=80
	// +required
	Variant string `json:"variant,omitempty"`
	// attempt at the variant, from 1.
	// +kubebuilder:validation:Minimum=1
	// +required
	Attempt int32 `json:"attempt,omitempty"`
	// task that the job belongs to.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +required
	Task string `json:"task,omitempty"`
	// job number within the task, from 1.
	// +kubebuilder:validation:Minimum=1
	// +required
	Job int32 `json:"job,omitempty"`
	// start of the job in milliseconds of the target's clock.
	// +optional
	Start *int64 `json:"start,omitempty"`
	// end of the job in milliseconds of the target's clock.
	// +optional
	End *int64 `json:"end,omitempty"`
	// outcome is the event that ended the job: EXIT, EXIT_CRITICAL, EXIT_ERROR, EXIT_PERIOD, ...
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +required
	Outcome string `json:"outcome,omitempty"`
	// target is the name of the TargetSession.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Target string `json:"target,omitempty"`
	// afterRecovery is the step that last brought the target back before this job; absent when it never froze.
	// +optional
	AfterRecovery RecoveryStep `json:"afterRecovery,omitempty"`
}

// AttemptFailure is one failed attempt at a variant.
type AttemptFailure struct {
	// variant number, decimal.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=80
	// +required
	Variant string `json:"variant,omitempty"`
	// attempt at the variant, from 1.
	// +kubebuilder:validation:Minimum=1
	// +required
	Attempt int32 `json:"attempt,omitempty"`
	// target is the name of the TargetSession.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Target string `json:"target,omitempty"`
	// reason is a constant such as SessionLost or TimedOut.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Reason string `json:"reason,omitempty"`
	// message says what happened.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=200
	// +optional
	Message string `json:"message,omitempty"`
}
