package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TargetPoolSpec describes equal targets: so many replicas, or those that are found at addresses.
//
// +kubebuilder:validation:XValidation:rule="has(self.addresses) == (has(self.template.spec.class) && self.template.spec.class in ['Ping', 'Genode'])",message="addresses and a template of class Ping or Genode belong together"
// +kubebuilder:validation:XValidation:rule="!has(self.excludeAddresses) || has(self.addresses)",message="excludeAddresses needs addresses"
// +kubebuilder:validation:XValidation:rule="!has(self.template.spec.address)",message="a pool has many targets: name their addresses in spec.addresses instead of template.spec.address"
type TargetPoolSpec struct {
	// replicas is the number of targets. A pool with addresses has as many as answer, and ignores it. Defaults to 1.
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	// +optional
	Replicas *int32 `json:"replicas,omitempty"`
	// addresses are scanned for targets: each one that answers gets a TargetSession. An entry is an IPv4 or
	// IPv6 address, a network in CIDR notation without its network and broadcast address, or a range
	// first-last, for example 172.25.1.0/24, 172.25.2.7 or 172.25.3.10-172.25.3.20.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=2
	// +kubebuilder:validation:items:MaxLength=91
	// +kubebuilder:validation:items:XValidation:rule="isIP(self) || isCIDR(self) || self.matches('^[0-9a-fA-F]*[.:][0-9a-fA-F.:]*-[0-9a-fA-F]*[.:][0-9a-fA-F.:]*$')",message="is no address, network or range: write for example 172.25.2.7, 172.25.1.0/24 or 172.25.3.10-172.25.3.20"
	// +kubebuilder:validation:items:XValidation:rule="!isCIDR(self) || cidr(self).masked() == cidr(self)",message="has host bits set: name the network's first address, for example 172.25.1.0/24, or a single address without its prefix"
	// +listType=set
	// +optional
	Addresses []string `json:"addresses,omitempty"`
	// excludeAddresses are never contacted; entries as in addresses.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=2
	// +kubebuilder:validation:items:MaxLength=91
	// +kubebuilder:validation:items:XValidation:rule="isIP(self) || isCIDR(self) || self.matches('^[0-9a-fA-F]*[.:][0-9a-fA-F.:]*-[0-9a-fA-F]*[.:][0-9a-fA-F.:]*$')",message="is no address, network or range: write for example 172.25.2.7, 172.25.1.0/24 or 172.25.3.10-172.25.3.20"
	// +kubebuilder:validation:items:XValidation:rule="!isCIDR(self) || cidr(self).masked() == cidr(self)",message="has host bits set: name the network's first address, for example 172.25.1.0/24, or a single address without its prefix"
	// +listType=set
	// +optional
	ExcludeAddresses []string `json:"excludeAddresses,omitempty"`
	// template of the TargetSessions. A change is rolled out target by target: the next one is changed
	// when all others are ready.
	// +required
	Template TargetSessionTemplate `json:"template,omitempty,omitzero"`
	// maxUnhealthyPercent is the fleet breaker: when more than this share of three or more targets is
	// unhealthy at once the cause is most likely shared, and no pod is replaced until it falls again. Defaults to 50.
	// +kubebuilder:default=50
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	// +optional
	MaxUnhealthyPercent int32 `json:"maxUnhealthyPercent,omitempty"`
}

// TargetSessionTemplate is the template of a pool's TargetSessions.
type TargetSessionTemplate struct {
	// metadata holds the labels and annotations of the TargetSessions and their pods.
	// +optional
	Metadata TemplateMetadata `json:"metadata,omitempty,omitzero"`
	// spec of the TargetSessions.
	// +required
	Spec TargetSessionSpec `json:"spec,omitempty,omitzero"`
}

// TemplateMetadata holds labels and annotations.
type TemplateMetadata struct {
	// labels of the made objects.
	// +kubebuilder:validation:MaxProperties=32
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// annotations of the made objects.
	// +kubebuilder:validation:MaxProperties=32
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
}

// TargetPoolStatus is what is known of the pool.
type TargetPoolStatus struct {
	// conditions of the pool: Ready.
	// +kubebuilder:validation:MaxItems=8
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation of the spec that this status is about.
	// +kubebuilder:validation:Minimum=0
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// replicas is the number of TargetSessions that exist.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Replicas int32 `json:"replicas"`
	// readyReplicas is the number of them that are ready.
	// +kubebuilder:validation:Minimum=0
	// +optional
	ReadyReplicas int32 `json:"readyReplicas"`
	// updatedReplicas is the number of them that have the newest template.
	// +kubebuilder:validation:Minimum=0
	// +optional
	UpdatedReplicas int32 `json:"updatedReplicas"`
	// addresses counts the addresses that are scanned, as a decimal number.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +optional
	Addresses string `json:"addresses,omitempty"`
	// selector of the pool's TargetSessions and pods, for the scale subresource.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +optional
	Selector string `json:"selector,omitempty"`
}

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:resource:shortName=tpool,categories={genode}
// +kubebuilder:printcolumn:name="Desired",type=integer,JSONPath=`.spec.replicas`
// +kubebuilder:printcolumn:name="Current",type=integer,JSONPath=`.status.replicas`
// +kubebuilder:printcolumn:name="Ready",type=integer,JSONPath=`.status.readyReplicas`
// +kubebuilder:printcolumn:name="Updated",type=integer,JSONPath=`.status.updatedReplicas`,priority=1
// +kubebuilder:printcolumn:name="Preset",type=string,JSONPath=`.spec.template.spec.qemu.preset`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`

// TargetPool is N equal TargetSessions.
//
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 46",message="the name may have at most 46 characters: targets and pods are named after it"
type TargetPool struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// spec is what is wanted.
	// +required
	Spec TargetPoolSpec `json:"spec,omitzero"`
	// status is what is known.
	// +optional
	Status TargetPoolStatus `json:"status,omitempty,omitzero"`
}

// +kubebuilder:object:root=true

// TargetPoolList is a list of TargetPools.
type TargetPoolList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TargetPool `json:"items"`
}
