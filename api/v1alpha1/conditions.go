package v1alpha1

// Condition types. Each one has exactly one writer, named in its comment; "abnormal-true" conditions
// are present only while they are True.
const (
	// ConditionReady (every kind; summary) is True while the object does what its spec asks for.
	ConditionReady = "Ready"

	// ConditionSourcesReady (TargetSession) is True once every boot and binary source was found.
	ConditionSourcesReady = "SourcesReady"
	// ConditionPodRunning (TargetSession) is True while the target pod of this epoch runs.
	ConditionPodRunning = "PodRunning"
	// ConditionGuestAlive (TargetSession) carries the verdict of the agent's health chain, or whether a target
	// at an address answers.
	ConditionGuestAlive = "GuestAlive"
	// ConditionSnapshotUsable (TargetSession) is True once the guest has survived a restore.
	ConditionSnapshotUsable = "SnapshotUsable"
	// ConditionRestartAllowed (TargetSession) is False while the fleet breaker or the backoff holds a new pod back.
	ConditionRestartAllowed = "RestartAllowed"
	// ConditionRestartsExhausted (TargetSession; abnormal-true): the restart budget is used up.
	ConditionRestartsExhausted = "RestartsExhausted"

	// ConditionValid (TaskSet) is True when the campaign can be run as it is written.
	ConditionValid = "Valid"
	// ConditionAccepted (TaskSet) is False when spec.analysis has rejected the campaign; absent without onFail Reject.
	ConditionAccepted = "Accepted"
	// ConditionBinariesReady (TaskSet) is True once every pkg of the tasks has a binary.
	ConditionBinariesReady = "BinariesReady"
	// ConditionProgressing (TaskSet) is True while variants are handed to targets.
	ConditionProgressing = "Progressing"
	// ConditionComplete (TaskSet) is True when every variant has its result.
	ConditionComplete = "Complete"
	// ConditionFailed (TaskSet; abnormal-true): the campaign ended and at least one variant failed for good.
	ConditionFailed = "Failed"
)

// Reasons that are not specific to one health verdict.
const (
	ReasonPending           = "Pending"
	ReasonReady             = "Ready"
	ReasonNotReported       = "NotYetReported"
	ReasonFound             = "Found"
	ReasonNotFound          = "NotFound"
	ReasonInvalid           = "Invalid"
	ReasonDownloadFailed    = "DownloadFailed"
	ReasonPodStarting       = "PodStarting"
	ReasonPodRunning        = "PodRunning"
	ReasonPodFailed         = "PodFailed"
	ReasonPodMissing        = "PodMissing"
	ReasonNeedsReplacement  = "NeedsReplacement"
	ReasonNotServing        = "NotServing"
	ReasonNameTaken         = "NameTaken"
	ReasonUpdating          = "Updating"
	ReasonAgentSilent       = "AgentSilent"
	ReasonBackoff           = "Backoff"
	ReasonTooManyUnhealthy  = "TooManyUnhealthy"
	ReasonAllowed           = "Allowed"
	ReasonLimitReached      = "LimitReached"
	ReasonProofSucceeded    = "ProofSucceeded"
	ReasonProofFailed       = "ProofFailed"
	ReasonSwitchedOff       = "SwitchedOff"
	ReasonNotTaken          = "NotYetTaken"
	ReasonScaling           = "Scaling"
	ReasonWaitingForTargets = "WaitingForTargets"
	ReasonRunning           = "Running"
	ReasonSuspended         = "Suspended"
	ReasonCannotReset       = "CannotReset"
	ReasonQuarantined       = "Quarantined"
	ReasonFinished          = "Finished"
	ReasonVariantsFailed    = "VariantsFailed"
	ReasonStoreUnavailable  = "StoreUnavailable"
	ReasonReachable         = "Reachable"
	ReasonUnreachable       = "Unreachable"
	ReasonScanning          = "Scanning"
	ReasonAddressTaken      = "AddressTaken"
	ReasonAccepted          = "Accepted"
	ReasonNotSchedulable    = "NotSchedulable"
)
