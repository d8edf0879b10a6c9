package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TaskSetSpec describes a campaign: tasks, what is varied, where it runs and when it is complete.
//
// The product of the sweeps makes the variants; the first sweep is the slowest, the last one the
// fastest, unless order says otherwise. A variant is a number from 0 to the number of variants minus one.
//
// +kubebuilder:validation:XValidation:rule="has(self.tasks) || has(self.blocks) || has(self.generator)",message="there are no tasks; give tasks, blocks or a generator"
// +kubebuilder:validation:XValidation:rule="has(self.tasks) == has(oldSelf.tasks) && (!has(self.tasks) || self.tasks == oldSelf.tasks)",message="tasks are immutable because results refer to variant numbers; create a new TaskSet"
// +kubebuilder:validation:XValidation:rule="has(self.blocks) == has(oldSelf.blocks) && (!has(self.blocks) || self.blocks == oldSelf.blocks)",message="blocks are immutable because results refer to variant numbers; create a new TaskSet"
// +kubebuilder:validation:XValidation:rule="has(self.generator) == has(oldSelf.generator) && (!has(self.generator) || self.generator == oldSelf.generator)",message="generator is immutable because results refer to variant numbers; create a new TaskSet"
// +kubebuilder:validation:XValidation:rule="has(self.where) == has(oldSelf.where) && (!has(self.where) || self.where == oldSelf.where)",message="where is immutable because results refer to variant numbers; create a new TaskSet"
// +kubebuilder:validation:XValidation:rule="has(self.sweeps) == has(oldSelf.sweeps) && (!has(self.sweeps) || self.sweeps == oldSelf.sweeps)",message="sweeps are immutable because results refer to variant numbers; create a new TaskSet"
// +kubebuilder:validation:XValidation:rule="!has(self.sweeps) || has(self.blocks) || has(self.tasks) && self.sweeps.all(s, self.tasks.exists(t, t.name == s.task))",message="every sweep must name a task of spec.tasks in its field task"
// +kubebuilder:validation:XValidation:rule="has(self.order) == has(oldSelf.order) && (!has(self.order) || self.order == oldSelf.order)",message="order is immutable because results refer to variant numbers; create a new TaskSet"
// +kubebuilder:validation:XValidation:rule="has(self.draws) == has(oldSelf.draws) && (!has(self.draws) || self.draws == oldSelf.draws)",message="draws are immutable because results refer to variant numbers; create a new TaskSet"
// +kubebuilder:validation:XValidation:rule="!has(self.draws) || has(self.blocks) || has(self.tasks) && self.draws.all(d, self.tasks.exists(t, t.name == d.task))",message="every draw must name a task of spec.tasks in its field task"
// +kubebuilder:validation:XValidation:rule="has(self.seed) == has(oldSelf.seed) && (!has(self.seed) || self.seed == oldSelf.seed)",message="seed is immutable because results refer to variant numbers; create a new TaskSet"
// +kubebuilder:validation:XValidation:rule="has(self.repeat) == has(oldSelf.repeat) && (!has(self.repeat) || self.repeat == oldSelf.repeat)",message="repeat is immutable because results refer to variant numbers; create a new TaskSet"
// +kubebuilder:validation:XValidation:rule="has(self.sample) == has(oldSelf.sample) && (!has(self.sample) || self.sample == oldSelf.sample)",message="sample is immutable because results refer to variant numbers; create a new TaskSet"
// +kubebuilder:validation:XValidation:rule="has(self.analysis) == has(oldSelf.analysis) && (!has(self.analysis) || self.analysis == oldSelf.analysis)",message="analysis is immutable because the records hold its verdicts; create a new TaskSet"
// +kubebuilder:validation:XValidation:rule="self.completion == oldSelf.completion",message="completion is immutable because it decides how many jobs a task has that does not say so itself; create a new TaskSet"
type TaskSetSpec struct {
	// tasks of the task-set. A task's id on the target is its position: these come first, then those of
	// blocks, then those of the generator.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +listType=map
	// +listMapKey=name
	// +optional
	Tasks []Task `json:"tasks,omitempty"`
	// blocks make tasks out of parts: each combination of one alternative of every list is a task, the last
	// list fastest. Of two blocks that set the same attribute the later one wins. The tasks are named after
	// their pkg and position: hey-0, pi-1.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	// +optional
	Blocks []BlockList `json:"blocks,omitempty"`
	// generator makes tasks at random, others for each variant. Like a draw it does not multiply.
	// +optional
	Generator *Generator `json:"generator,omitempty"`
	// sweeps say what varies between the variants; none means one variant.
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	// +optional
	Sweeps []Sweep `json:"sweeps,omitempty"`
	// order says which sweeps are slow and which are fast: Given takes them as they are listed, the last
	// one fastest; Taskgen sorts them as taskgen did: by the tasks' positions, the last task fastest, and
	// within a task by taskgen's names of the attributes, the last one fastest. Defaults to Given.
	// +kubebuilder:default=Given
	// +optional
	Order Order `json:"order,omitempty"`
	// draws vary attributes at random: each variant gets its own values, and the number of variants stays
	// the same. What a variant gets depends on the seed and its number only.
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	// +optional
	Draws []Draw `json:"draws,omitempty"`
	// where leaves out the variants for which one of these CEL expressions is false; they are counted as
	// skipped and need no target. An expression sees tasks, a map from a task's name to its attributes, for
	// example "tasks.hello.priority < tasks.load.priority" or "tasks.load.config.arg1 > 100"; variant, its
	// number; and utilization, the sum of execution times over periods.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=1024
	// +listType=atomic
	// +optional
	Where []string `json:"where,omitempty"`
	// sample runs a random part of what the sweeps make instead of all of it.
	// +optional
	Sample *Sample `json:"sample,omitempty"`
	// repeat is how often everything is run: after the last variant the first one follows again, with the
	// same values, under a number of its own. Defaults to 1.
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	Repeat int32 `json:"repeat,omitempty"`
	// seed of everything that is random. Defaults to a number made from the TaskSet's UID, which
	// status.seed shows.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=9007199254740991
	// +optional
	Seed *int64 `json:"seed,omitempty"`
	// completion says when a variant is complete.
	// +kubebuilder:default={}
	// +optional
	Completion Completion `json:"completion,omitempty,omitzero"`
	// targets says which TargetSessions run the campaign.
	// +required
	Targets TargetsSpec `json:"targets,omitempty,omitzero"`
	// parallelism is the number of variants that run at a time. Defaults to the number of ready targets.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	// +optional
	Parallelism *int32 `json:"parallelism,omitempty"`
	// sharing sets how targets are shared with other campaigns that want the same ones.
	// +kubebuilder:default={}
	// +optional
	Sharing SharingSpec `json:"sharing,omitempty,omitzero"`
	// connectionPolicy is Persistent, one session for many variants, or PerVariant, a new one for each.
	// Defaults to Persistent.
	// +kubebuilder:default=Persistent
	// +optional
	ConnectionPolicy ConnectionPolicy `json:"connectionPolicy,omitempty"`
	// targetReset says what is done to a target before each variant, so that no variant sees what an earlier
	// one left behind: None, Restore (the snapshot of the freshly booted guest, where the target has one) or
	// Reboot. Defaults to None.
	// +kubebuilder:default=None
	// +optional
	TargetReset TargetReset `json:"targetReset,omitempty"`
	// admissionControl is sent to targets whose generation knows it; on others the variants fail as
	// Unsupported before anything is sent.
	// +optional
	AdmissionControl *AdmissionControl `json:"admissionControl,omitempty"`
	// analysis says of each variant, before it is sent, whether it meets its deadlines; what is measured is held
	// against that.
	// +optional
	Analysis *AnalysisSpec `json:"analysis,omitempty"`
	// retries sets how often a variant is tried again when its target failed.
	// +kubebuilder:default={}
	// +optional
	Retries RetriesSpec `json:"retries,omitempty,omitzero"`
	// timeoutSeconds is the time that one variant may take, from its start on the target. Without it
	// the limit is derived from offsets, periods, critical times and job counts.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=604800
	// +optional
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty"`
	// suspend stops the hand-out of variants while it is true; running variants end normally.
	// +optional
	Suspend *bool `json:"suspend,omitempty"`
	// suspendPolicy says what becomes of running variants when the campaign is suspended: Finish lets them
	// end, Stop ends them on their targets; they are run again, as the same attempt. Defaults to Finish.
	// +kubebuilder:default=Finish
	// +optional
	SuspendPolicy SuspendPolicy `json:"suspendPolicy,omitempty"`
	// retryFailed runs the variants that have failed for good again, with all their attempts, whenever it
	// is raised; also those of a campaign that is complete.
	// +kubebuilder:validation:Minimum=0
	// +optional
	RetryFailed *int64 `json:"retryFailed,omitempty"`
	// ttlSecondsAfterFinished deletes the TaskSet so many seconds after it is finished. Its results stay in the store.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=31536000
	// +optional
	TTLSecondsAfterFinished *int32 `json:"ttlSecondsAfterFinished,omitempty"`
	// binaries says where the tasks' binaries come from. A pkg that is not listed here is taken from the
	// target (spec.qemu.binaries of the TargetSession).
	// +kubebuilder:validation:MaxItems=100
	// +listType=map
	// +listMapKey=name
	// +optional
	Binaries []BinarySource `json:"binaries,omitempty"`
}

// Order says which sweeps are slow and which are fast.
//
// +kubebuilder:validation:Enum=Given;Taskgen
type Order string

const (
	// OrderGiven takes the sweeps as they are listed: the first one is the slowest, the last one the fastest.
	OrderGiven Order = "Given"
	// OrderTaskgen sorts the sweeps as taskgen did: the last task is the fastest; within a task the
	// attributes are in the alphabetical order of taskgen's names for them, the last one fastest.
	OrderTaskgen Order = "Taskgen"
)

// Task is one task of a task-set, as the taskloader knows it.
type Task struct {
	// name of the task, unique in the task-set; results and sweeps refer to it.
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +required
	Name string `json:"name,omitempty"`
	// pkg is the name of the task's binary: at most 15 characters, because the wire protocol has no room for more.
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$')",message="pkg must have 1 to 15 characters out of letters, digits, '_', '.' and '-': the wire protocol has no room for more; rename the binary"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Pkg string `json:"pkg,omitempty"`
	// quota is the memory that the task gets, more than 0 and less than 4Gi, for example 5Mi. Defaults to 1Mi.
	// +kubebuilder:default="1Mi"
	// +optional
	Quota *resource.Quantity `json:"quota,omitempty"`
	// priority of the task. On a Genode target a small number is a high priority, and 0 is the highest.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	// +optional
	Priority int32 `json:"priority,omitempty"`
	// periodMilliseconds is the time between two releases; 0 releases the task once, at once.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147000
	// +optional
	PeriodMilliseconds int32 `json:"periodMilliseconds,omitempty"`
	// criticalTimeMilliseconds is the time after which a running job is killed; 0 means no limit.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147000
	// +optional
	CriticalTimeMilliseconds int32 `json:"criticalTimeMilliseconds,omitempty"`
	// executionTimeMilliseconds is the worst-case execution time that the target's schedulability test assumes.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	// +optional
	ExecutionTimeMilliseconds int32 `json:"executionTimeMilliseconds,omitempty"`
	// deadlineMilliseconds is the relative deadline; more than 0 makes the task an EDF task on targets that know EDF.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147000
	// +optional
	DeadlineMilliseconds int32 `json:"deadlineMilliseconds,omitempty"`
	// offsetMilliseconds is the time before the first release.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147000
	// +optional
	OffsetMilliseconds int32 `json:"offsetMilliseconds,omitempty"`
	// numberOfJobs is the number of jobs after which the target stops releasing the task. Defaults to
	// completion.jobsPerTask.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	NumberOfJobs *int32 `json:"numberOfJobs,omitempty"`
	// caps is the capability quota of the task (generation 1802 only).
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	Caps int32 `json:"caps,omitempty"`
	// cores is the width of the task's affinity space (generation 1802 only).
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1024
	// +optional
	Cores int32 `json:"cores,omitempty"`
	// coreOffset is the position in the affinity space (generation 1802 only).
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1024
	// +optional
	CoreOffset int32 `json:"coreOffset,omitempty"`
	// config is the task's configuration, a tree of scalars and maps, handed to it as XML:
	// {arg1: 5} becomes <config><arg1>5</arg1></config>.
	// +kubebuilder:pruning:PreserveUnknownFields
	// +kubebuilder:validation:Type=object
	// +optional
	Config *apiextensionsv1.JSON `json:"config,omitempty"`
}

// Sweep lists the alternatives of one attribute of one task: either values or a range.
//
// +kubebuilder:validation:XValidation:rule="has(self.range) != has(dyn(self).values)",message="give either values or range"
type Sweep struct {
	// task is the name of the task.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +required
	Task string `json:"task,omitempty"`
	// attribute that varies: a field of the task such as priority or periodMilliseconds, or a path into
	// its config such as config.arg1.
	// +kubebuilder:validation:XValidation:rule="self in ['pkg','quota','priority','periodMilliseconds','criticalTimeMilliseconds','executionTimeMilliseconds','deadlineMilliseconds','offsetMilliseconds','numberOfJobs','caps','cores','coreOffset'] || self.matches('^config([.][A-Za-z_][A-Za-z0-9_-]*)+$')",message="attribute must be a field of the task (pkg, quota, priority, periodMilliseconds, criticalTimeMilliseconds, executionTimeMilliseconds, deadlineMilliseconds, offsetMilliseconds, numberOfJobs, caps, cores, coreOffset) or a path into its config such as config.arg1"
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
	// zip is a name of your choice: sweeps of the same zip do not multiply but advance together, and must
	// have the same number of values. Their place in the order is that of the first of them.
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="zip must consist of lower-case letters, digits and '-', beginning and ending with a letter or digit"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +optional
	Zip string `json:"zip,omitempty"`
}

// IntegerRange is from, from+step, ... up to and including to.
//
// +kubebuilder:validation:XValidation:rule="self.to >= self.from",message="range.to must not be less than range.from"
type IntegerRange struct {
	// from is the first value.
	// +required
	From *int64 `json:"from,omitempty"`
	// to is the last value, if the step meets it.
	// +required
	To *int64 `json:"to,omitempty"`
	// step between two values. Defaults to 1.
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +optional
	Step int64 `json:"step,omitempty"`
}

// Sample says how much of the sweeps' product is run. No combination is run twice, unless draws make
// them different.
type Sample struct {
	// count is the number of combinations. It may be more than the sweeps make only if there are draws or a
	// generator; then each combination is run again, drawn anew, after all of them were.
	// +kubebuilder:validation:Minimum=1
	// +required
	Count int64 `json:"count,omitempty"`
}

// Draw draws one attribute of one task at random for each variant: uniform, logUniform or choice. The
// rule needs dyn because values of any type are no part of the type that CEL sees.
//
// +kubebuilder:validation:XValidation:rule="(has(self.uniform) ? 1 : 0) + (has(self.logUniform) ? 1 : 0) + (has(dyn(self).choice) ? 1 : 0) == 1",message="give exactly one of uniform, logUniform and choice"
// +kubebuilder:validation:XValidation:rule="!has(self.logUniform) || self.logUniform.from >= 1",message="logUniform.from must be at least 1, because 0 has no logarithm"
type Draw struct {
	// task is the name of the task.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +required
	Task string `json:"task,omitempty"`
	// attribute that is drawn: a field of the task such as priority or periodMilliseconds, or a path into
	// its config such as config.arg1.
	// +kubebuilder:validation:XValidation:rule="self in ['pkg','quota','priority','periodMilliseconds','criticalTimeMilliseconds','executionTimeMilliseconds','deadlineMilliseconds','offsetMilliseconds','numberOfJobs','caps','cores','coreOffset'] || self.matches('^config([.][A-Za-z_][A-Za-z0-9_-]*)+$')",message="attribute must be a field of the task (pkg, quota, priority, periodMilliseconds, criticalTimeMilliseconds, executionTimeMilliseconds, deadlineMilliseconds, offsetMilliseconds, numberOfJobs, caps, cores, coreOffset) or a path into its config such as config.arg1"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +required
	Attribute string `json:"attribute,omitempty"`
	// uniform draws each whole number of an interval with the same probability.
	// +optional
	Uniform *IntegerInterval `json:"uniform,omitempty"`
	// logUniform draws a whole number of an interval whose logarithm is uniformly distributed, so that
	// 1 to 10, 10 to 100 and 100 to 1000 are equally probable. It begins at 1 or later.
	// +optional
	LogUniform *IntegerInterval `json:"logUniform,omitempty"`
	// choice draws one of these values, each with the same probability.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1024
	// +listType=atomic
	// +optional
	Choice []apiextensionsv1.JSON `json:"choice,omitempty"`
}

// IntegerInterval is the whole numbers from from to to, both included.
//
// +kubebuilder:validation:XValidation:rule="self.to >= self.from",message="to must not be less than from"
type IntegerInterval struct {
	// from is the smallest number.
	// +required
	From *int64 `json:"from,omitempty"`
	// to is the largest number.
	// +required
	To *int64 `json:"to,omitempty"`
}

// Completion says when a variant is complete: after a number of jobs, or after a time.
type Completion struct {
	// durationMilliseconds is how long a variant runs. It is complete then, however many jobs have ended;
	// jobsPerTask does not apply, and numberOfJobs of the tasks defaults to the largest number.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=604800000
	// +optional
	DurationMilliseconds *int32 `json:"durationMilliseconds,omitempty"`
	// jobsPerTask is the number of finished jobs of every task that completes a variant. Defaults to 1.
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	JobsPerTask int32 `json:"jobsPerTask,omitempty"`
}

// TargetsSpec says which TargetSessions run a campaign.
type TargetsSpec struct {
	// selector of TargetSessions in the same namespace, by label.
	// +required
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// RetriesSpec sets how often a variant is tried again.
type RetriesSpec struct {
	// limit is the number of further attempts after the first one. Defaults to 3.
	// +kubebuilder:default=3
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	// +optional
	Limit *int32 `json:"limit,omitempty"`
}

// BinarySource says where the binary of one pkg comes from.
//
// +kubebuilder:validation:XValidation:rule="has(self.configMap) != has(self.url)",message="give either configMap (with key) or url (with sha256); binaries in images and claims belong to the target: spec.qemu.binaries"
// +kubebuilder:validation:XValidation:rule="has(self.url) == has(self.sha256)",message="url and sha256 belong together: give the SHA-256 of the file as 64 hex digits, as printed by sha256sum"
type BinarySource struct {
	// name is the pkg of the tasks that use it.
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$')",message="name must have 1 to 15 characters out of letters, digits, '_', '.' and '-': the wire protocol has no room for more"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Name string `json:"name,omitempty"`
	// configMap holds the binary under binaryData.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	ConfigMap string `json:"configMap,omitempty"`
	// key in the configMap. Defaults to name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Key string `json:"key,omitempty"`
	// url is an http or https address that the manager fetches the binary from.
	// +kubebuilder:validation:Pattern=`^https?://`
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	URL string `json:"url,omitempty"`
	// sha256 is the expected SHA-256 of the fetched file, 64 hex digits.
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{64}$`
	// +kubebuilder:validation:MinLength=64
	// +kubebuilder:validation:MaxLength=64
	// +optional
	SHA256 string `json:"sha256,omitempty"`
}

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=tset,categories={genode}
// +kubebuilder:printcolumn:name="Progress",type=string,JSONPath=`.status.progress`,description="finished/total variants"
// +kubebuilder:printcolumn:name="Running",type=integer,JSONPath=`.status.variants.running`
// +kubebuilder:printcolumn:name="Failed",type=integer,JSONPath=`.status.variants.failed`
// +kubebuilder:printcolumn:name="Complete",type=string,JSONPath=`.status.conditions[?(@.type=="Complete")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Retried",type=integer,JSONPath=`.status.variants.retried`,priority=1

// TaskSet is a campaign: a task-set whose variants are run on targets, every one recorded once.
type TaskSet struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// spec is what is wanted.
	// +required
	Spec TaskSetSpec `json:"spec,omitzero"`
	// status is what is known.
	// +optional
	Status TaskSetStatus `json:"status,omitempty,omitzero"`
}

// +kubebuilder:object:root=true

// TaskSetList is a list of TaskSets.
type TaskSetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TaskSet `json:"items"`
}
