package v1alpha1

// SimSoTarget describes a simulated target: nothing runs, and the events of a variant are computed.
type SimSoTarget struct {
	// scheduler by its name, as docs/simulator.md lists them; SimSo's names are known, too. By default EDF when
	// a task of the variant has a deadline, else Genode-FP, in which priority 0 is the highest.
	// +kubebuilder:validation:Pattern=`^[A-Za-z][A-Za-z0-9_.-]*$`
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Scheduler string `json:"scheduler,omitempty"`
	// schedulerOptions of schedulers that have some, for example {quantum: 1ms}.
	// +kubebuilder:validation:MaxProperties=8
	// +optional
	SchedulerOptions map[string]SchedulerOption `json:"schedulerOptions,omitempty"`
	// cpus is the number of equal processors. Defaults to 1.
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1024
	// +optional
	CPUs int32 `json:"cpus,omitempty"`
	// durationMilliseconds is the simulated time at which a variant ends at the latest; jobs that run then end
	// as EXIT_EXTERNAL. Without it a variant ends with its last job.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=604800000
	// +optional
	DurationMilliseconds *int32 `json:"durationMilliseconds,omitempty"`
	// onMiss says what becomes of a job that runs too long: EndAtPeriod ends it when the next period of its task
	// begins, as targets do; Continue lets it end late, and the jobs after it wait; Abort ends it at its
	// deadline; SkipNext lets it end late and leaves out the releases until then. Defaults to EndAtPeriod.
	// +kubebuilder:default=EndAtPeriod
	// +optional
	OnMiss OnMiss `json:"onMiss,omitempty"`
	// leastExecutionPercent lets each job take a random part of its execution time, evenly distributed from so
	// many percent to all of it. Defaults to 100: all of it.
	// +kubebuilder:default=100
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	// +optional
	LeastExecutionPercent int32 `json:"leastExecutionPercent,omitempty"`
	// seed of what is drawn, beside that of the campaign. Defaults to 0.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=9007199254740991
	// +optional
	Seed *int64 `json:"seed,omitempty"`
}

// SchedulerOption is the value of an option of a scheduler, for example 1ms or 4.
//
// +kubebuilder:validation:Pattern=`^[A-Za-z0-9.-]+$`
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=32
type SchedulerOption string

// OnMiss says what becomes of a simulated job that runs too long.
//
// +kubebuilder:validation:Enum=EndAtPeriod;Continue;Abort;SkipNext
type OnMiss string

// What becomes of it.
const (
	OnMissEndAtPeriod OnMiss = "EndAtPeriod"
	OnMissContinue    OnMiss = "Continue"
	OnMissAbort       OnMiss = "Abort"
	OnMissSkipNext    OnMiss = "SkipNext"
)
