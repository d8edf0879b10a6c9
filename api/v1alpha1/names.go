package v1alpha1

// Labels, annotations and names that more than one part of the system has to agree on.
const (
	// LabelSession holds the name of the TargetSession on the objects that it owns.
	LabelSession = "genode-operator.io/session"
	// LabelPool holds the name of the TargetPool on its TargetSessions and their pods.
	LabelPool = "genode-operator.io/pool"
	// LabelEpoch holds the epoch of the TargetSession on its pod.
	LabelEpoch = "genode-operator.io/epoch"
	// LabelDownloads is "true" on the pods of TargetSessions with a URL among their sources: they need a way
	// out when they start. The network policy of config/network-policy/targets selects them by it.
	LabelDownloads = "genode-operator.io/downloads"
	// AnnotationSpecHash holds a hash of the pod's intended spec; another hash means another pod.
	AnnotationSpecHash = "genode-operator.io/spec-hash"
	// AnnotationTemplateHash holds a hash of the pool's template that a TargetSession was made from.
	AnnotationTemplateHash = "genode-operator.io/template-hash"

	// FieldManager is the field manager of every server-side apply of the manager.
	FieldManager = "genode-operator"

	// TargetContainer is the name of the container that runs the agent.
	TargetContainer = "target"
	// AgentPort is the TCP port of the agent's API (TLS, bearer token).
	AgentPort = 7443
	// ConsolePort is the TCP port of the guest's first serial line (TLS, greeting with a token); the ports
	// behind it, up to four in all, are those of further lines.
	ConsolePort = 7444
	// ProbePort is the TCP port of the agent's kubelet probes (plain HTTP, no data).
	ProbePort = 7080
	// TaskloaderPort is the TCP port of Genode's taskloader.
	TaskloaderPort = 3001
)
