package v1alpha1

// AnalysisSpec says by which tests variants are judged before they are sent, and what becomes of those that none of
// them accepts.
type AnalysisSpec struct {
	// tests of schedulability, by their names in docs/simulator.md; a variant is accepted if one of them says yes.
	// Without them those are run that suit policy and cpus: RTA; QPA and G-EDF-RTA; on several processors
	// G-FP-RTA and G-FP-Guan, or GFB, BCLI and G-EDF-RTA.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +listType=set
	// +optional
	Tests []AnalysisTest `json:"tests,omitempty"`
	// policy that the targets schedule by: FP, fixed priorities with 0 as the highest; EDF; or Auto, EDF for
	// variants in which a task has a deadline, FP for others. Defaults to Auto.
	// +kubebuilder:default=Auto
	// +optional
	Policy AnalysisPolicy `json:"policy,omitempty"`
	// cpus is the number of equal processors of a target. Defaults to 1.
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1024
	// +optional
	CPUs int32 `json:"cpus,omitempty"`
	// onFail says what becomes of a variant that no test accepts: Record runs it, and its record has the verdict;
	// Skip records it as skipped, without a run; Reject runs nothing of a campaign if one of its first 1000
	// variants is not accepted, and skips such a variant later on. Defaults to Record.
	// +kubebuilder:default=Record
	// +optional
	OnFail AnalysisFailure `json:"onFail,omitempty"`
}

// AnalysisTest is a test of schedulability.
//
// +kubebuilder:validation:Enum=LL;HB;RTA;OPA;QPA;GFB;BAK;BCL;BCLI;G-EDF-RTA;G-FP-RTA;G-FP-Guan;EDF-US;RM-US;P-EDF-FF;Optimal
type AnalysisTest string

// AnalysisPolicy is how targets schedule.
//
// +kubebuilder:validation:Enum=Auto;FP;EDF
type AnalysisPolicy string

// AnalysisFailure says what becomes of a variant that no test accepts.
//
// +kubebuilder:validation:Enum=Record;Skip;Reject
type AnalysisFailure string

const (
	// AnalysisRecord runs it.
	AnalysisRecord AnalysisFailure = "Record"
	// AnalysisSkip does not.
	AnalysisSkip AnalysisFailure = "Skip"
	// AnalysisReject refuses the campaign.
	AnalysisReject AnalysisFailure = "Reject"
)

// AnalysisCounts counts verdicts of recorded variants.
type AnalysisCounts struct {
	// accepted variants: a test says that they meet their deadlines.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Accepted int64 `json:"accepted"`
	// rejected variants: no test says so.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Rejected int64 `json:"rejected"`
	// disagreements are variants that were accepted and have missed a deadline, or in which a job took longer than the
	// bound that a test gives.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Disagreements int64 `json:"disagreements"`
	// newestDisagreement says what happened in the newest one.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=200
	// +optional
	NewestDisagreement string `json:"newestDisagreement,omitempty"`
}
