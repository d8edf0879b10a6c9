package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// BlockList is one factor of the product that makes tasks.
type BlockList struct {
	// alternatives are blocks, each of which makes tasks of its own.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +required
	Alternatives []Block `json:"alternatives,omitempty"`
}

// Block is a part of a task: attributes, and what varies in them. Its parts apply in the order use, set,
// sweeps, draws; whatever a later part or block says about an attribute replaces what was said before, a
// config as a whole.
type Block struct {
	// use is the name of a block of the library, for example hey.HelloWorld or pi.Value.
	// +kubebuilder:validation:Pattern=`^[a-z][a-z0-9_]*[.][A-Z][A-Za-z0-9]*$`
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Use string `json:"use,omitempty"`
	// argument of the block that is used, for example the number in pi.Value.
	// +optional
	Argument *int64 `json:"argument,omitempty"`
	// set gives attributes a value.
	// +optional
	Set *TaskAttributes `json:"set,omitempty"`
	// sweeps vary attributes; they multiply the variants.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	// +optional
	Sweeps []AttributeSweep `json:"sweeps,omitempty"`
	// draws draw attributes at random for each task and variant; they do not multiply.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	// +optional
	Draws []AttributeDraw `json:"draws,omitempty"`
	// repeat makes so many copies of this alternative. Defaults to 1.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	// +optional
	Repeat *int32 `json:"repeat,omitempty"`
}

// TaskAttributes are attributes of a task; see Task. What is absent stays as it is.
type TaskAttributes struct {
	// pkg is the name of the task's binary.
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$`
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=15
	// +optional
	Pkg string `json:"pkg,omitempty"`
	// quota is the memory that the task gets.
	// +optional
	Quota *resource.Quantity `json:"quota,omitempty"`
	// priority of the task; 0 is the highest.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	// +optional
	Priority *int32 `json:"priority,omitempty"`
	// periodMilliseconds is the time between two releases.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147000
	// +optional
	PeriodMilliseconds *int32 `json:"periodMilliseconds,omitempty"`
	// criticalTimeMilliseconds is the time after which a running job is killed.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147000
	// +optional
	CriticalTimeMilliseconds *int32 `json:"criticalTimeMilliseconds,omitempty"`
	// executionTimeMilliseconds is the worst-case execution time.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	// +optional
	ExecutionTimeMilliseconds *int32 `json:"executionTimeMilliseconds,omitempty"`
	// deadlineMilliseconds is the relative deadline.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147000
	// +optional
	DeadlineMilliseconds *int32 `json:"deadlineMilliseconds,omitempty"`
	// offsetMilliseconds is the time before the first release.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147000
	// +optional
	OffsetMilliseconds *int32 `json:"offsetMilliseconds,omitempty"`
	// numberOfJobs after which the target stops releasing the task.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	NumberOfJobs *int32 `json:"numberOfJobs,omitempty"`
	// caps is the capability quota (generation 1802 only).
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	Caps *int32 `json:"caps,omitempty"`
	// cores is the width of the affinity space (generation 1802 only).
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1024
	// +optional
	Cores *int32 `json:"cores,omitempty"`
	// coreOffset is the position in the affinity space (generation 1802 only).
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1024
	// +optional
	CoreOffset *int32 `json:"coreOffset,omitempty"`
	// config is the task's configuration, a tree of scalars and maps.
	// +kubebuilder:pruning:PreserveUnknownFields
	// +kubebuilder:validation:Type=object
	// +optional
	Config *apiextensionsv1.JSON `json:"config,omitempty"`
}

// AttributeSweep lists the alternatives of one attribute of the block's task: either values or a range.
//
// +kubebuilder:validation:XValidation:rule="has(self.range) != has(dyn(self).values)",message="give either values or range"
type AttributeSweep struct {
	// attribute that varies: a field such as priority, or a path into the config such as config.arg1.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +required
	Attribute string `json:"attribute,omitempty"`
	// values are the alternatives, in order.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1024
	// +listType=atomic
	// +optional
	Values []apiextensionsv1.JSON `json:"values,omitempty"`
	// range is a range of integers.
	// +optional
	Range *IntegerRange `json:"range,omitempty"`
}

// AttributeDraw draws one attribute of a task at random: uniform, logUniform or choice.
//
// +kubebuilder:validation:XValidation:rule="(has(self.uniform) ? 1 : 0) + (has(self.logUniform) ? 1 : 0) + (has(dyn(self).choice) ? 1 : 0) == 1",message="give exactly one of uniform, logUniform and choice"
type AttributeDraw struct {
	// attribute that is drawn: a field such as priority, or a path into the config such as config.arg1.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +required
	Attribute string `json:"attribute,omitempty"`
	// uniform draws each whole number of an interval with the same probability.
	// +optional
	Uniform *IntegerInterval `json:"uniform,omitempty"`
	// logUniform draws a whole number whose logarithm is uniformly distributed. It begins at 1 or later.
	// +optional
	LogUniform *IntegerInterval `json:"logUniform,omitempty"`
	// choice draws one of these values, each with the same probability.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1024
	// +listType=atomic
	// +optional
	Choice []apiextensionsv1.JSON `json:"choice,omitempty"`
}
