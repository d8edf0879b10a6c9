package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

// Generator makes tasks at random: others for each variant, the same ones for the same seed and number. The
// tasks are named generated-0, generated-1, ...
//
// +kubebuilder:validation:XValidation:rule="has(self.tasks) != has(self.tasksBetween)",message="give either tasks or tasksBetween"
// +kubebuilder:validation:XValidation:rule="!has(self.tasksBetween) || self.tasksBetween.from >= 1 && self.tasksBetween.to <= 1000",message="tasksBetween must lie between 1 and 1000"
type Generator struct {
	// tasks is the number of tasks.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	Tasks *int32 `json:"tasks,omitempty"`
	// tasksBetween draws the number of tasks for each variant.
	// +optional
	TasksBetween *IntegerInterval `json:"tasksBetween,omitempty"`
	// templates of the tasks; each task takes one of them, each with the same probability.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	// +required
	Templates []GeneratorTemplate `json:"templates,omitempty"`
	// utilization draws periods and execution times, so that the utilizations of all generated tasks have
	// a given sum.
	// +optional
	Utilization *GeneratedUtilization `json:"utilization,omitempty"`
}

// GeneratorTemplate is what a generated task begins with.
//
// +kubebuilder:validation:XValidation:rule="has(self.set.pkg)",message="set.pkg is missing: name the binary of the generated tasks"
type GeneratorTemplate struct {
	// set gives attributes a value; pkg is required.
	// +required
	Set *TaskAttributes `json:"set,omitempty"`
	// draws draw attributes at random for each task and variant.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	// +optional
	Draws []AttributeDraw `json:"draws,omitempty"`
}

// UtilizationMethod is how utilizations with a given sum are drawn.
//
// +kubebuilder:validation:Enum=UUniFast;UUniFastDiscard;RandFixedSum
type UtilizationMethod string

// Methods of drawing utilizations.
const (
	// MethodUUniFast is Bini and Buttazzo's; the sum is at most 1.
	MethodUUniFast UtilizationMethod = "UUniFast"
	// MethodUUniFastDiscard is Davis and Burns'; for several processors.
	MethodUUniFastDiscard UtilizationMethod = "UUniFastDiscard"
	// MethodRandFixedSum is Stafford's.
	MethodRandFixedSum UtilizationMethod = "RandFixedSum"
)

// GeneratedUtilization draws a utilization and a period for each generated task and sets
// periodMilliseconds and executionTimeMilliseconds, the product of both, rounded and at least 1.
type GeneratedUtilization struct {
	// method is UUniFast (sum at most 1), UUniFastDiscard or RandFixedSum. Defaults to RandFixedSum.
	// +kubebuilder:default=RandFixedSum
	// +optional
	Method UtilizationMethod `json:"method,omitempty"`
	// totals are the sums of the utilizations, for example ["0.5", "0.75"]. Several multiply the variants
	// like a sweep that comes before all others.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1024
	// +listType=atomic
	// +required
	Totals []resource.Quantity `json:"totals,omitempty"`
	// maxPerTask is the largest utilization of one task. Defaults to 1.
	// +optional
	MaxPerTask *resource.Quantity `json:"maxPerTask,omitempty"`
	// periods says how periods are drawn.
	// +required
	Periods GeneratedPeriods `json:"periods,omitempty,omitzero"`
	// deadlines is None, or Implicit: each deadlineMilliseconds is the period. Defaults to None.
	// +kubebuilder:default=None
	// +optional
	Deadlines GeneratedDeadlines `json:"deadlines,omitempty"`
	// loadAttribute is set to the execution time times loadPerMillisecond, so that the task really works so
	// long: for example config.arg1.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	LoadAttribute string `json:"loadAttribute,omitempty"`
	// loadPerMillisecond is the value of loadAttribute that keeps the task busy for a millisecond. Defaults to 1.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	// +optional
	LoadPerMillisecond *int64 `json:"loadPerMillisecond,omitempty"`
}

// GeneratedDeadlines is what deadlines generated tasks have.
//
// +kubebuilder:validation:Enum=None;Implicit
type GeneratedDeadlines string

const (
	// DeadlinesNone leaves the deadlines as the templates have them.
	DeadlinesNone GeneratedDeadlines = "None"
	// DeadlinesImplicit makes the period the deadline.
	DeadlinesImplicit GeneratedDeadlines = "Implicit"
)

// PeriodDistribution is how periods are drawn.
//
// +kubebuilder:validation:Enum=Uniform;LogUniform;Discrete;Harmonic
type PeriodDistribution string

// Distributions of periods.
const (
	PeriodsUniform    PeriodDistribution = "Uniform"
	PeriodsLogUniform PeriodDistribution = "LogUniform"
	PeriodsDiscrete   PeriodDistribution = "Discrete"
	PeriodsHarmonic   PeriodDistribution = "Harmonic"
)

// GeneratedPeriods says how periods are drawn.
//
// +kubebuilder:validation:XValidation:rule="self.distribution == 'Discrete' ? has(self.valuesMilliseconds) && !has(self.betweenMilliseconds) : has(self.betweenMilliseconds) && !has(self.valuesMilliseconds)",message="Discrete needs valuesMilliseconds; Uniform, LogUniform and Harmonic need betweenMilliseconds"
type GeneratedPeriods struct {
	// distribution is Uniform, LogUniform, Discrete (one of valuesMilliseconds) or Harmonic (the smallest
	// period times powers of two).
	// +required
	Distribution PeriodDistribution `json:"distribution,omitempty"`
	// betweenMilliseconds are the smallest and the largest period.
	// +optional
	BetweenMilliseconds *IntegerInterval `json:"betweenMilliseconds,omitempty"`
	// valuesMilliseconds are the periods of distribution Discrete.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	// +listType=atomic
	// +optional
	ValuesMilliseconds []int32 `json:"valuesMilliseconds,omitempty"`
}
