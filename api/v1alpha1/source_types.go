package v1alpha1

// FileSource says where one file comes from: the runner image (path alone), an OCI image volume
// (image and path), a PersistentVolumeClaim (persistentVolumeClaim and path), a ConfigMap (configMap
// and path, its key), or a download (url and sha256).
//
// +kubebuilder:validation:XValidation:rule="[has(self.image), has(self.persistentVolumeClaim), has(self.configMap), has(self.url)].filter(x, x).size() <= 1",message="give at most one of image, persistentVolumeClaim, configMap and url; with none of them path names a file in the runner image"
// +kubebuilder:validation:XValidation:rule="has(self.url) || has(self.path)",message="path is missing: it names the file inside its source (for a configMap, the key)"
// +kubebuilder:validation:XValidation:rule="has(self.url) == has(self.sha256)",message="url and sha256 belong together: give the SHA-256 of the file as 64 hex digits, as printed by sha256sum"
type FileSource struct {
	// path of the file inside its source; for a configMap it is the key.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="!self.contains('..')",message="path must not contain '..'"
	// +optional
	Path string `json:"path,omitempty"`
	// image is the reference of an OCI image that is mounted as a volume.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +optional
	Image string `json:"image,omitempty"`
	// persistentVolumeClaim is the name of a claim in the same namespace, mounted read-only.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	PersistentVolumeClaim string `json:"persistentVolumeClaim,omitempty"`
	// configMap is the name of a ConfigMap in the same namespace; at most 1 MiB fits into one.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	ConfigMap string `json:"configMap,omitempty"`
	// url is an http or https address that the file is fetched from when the target starts.
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
