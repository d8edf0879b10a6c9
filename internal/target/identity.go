package target

import (
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// HostClass says what kind of machine a target is: the session class and, for class Qemu, the board.
func HostClass(ts *v1alpha1.TargetSession) string {
	if ts.Spec.Qemu == nil {
		return string(ts.Spec.Class)
	}
	return string(v1alpha1.ClassQemu) + "/" + string(ts.Spec.Qemu.Preset)
}

var digest = regexp.MustCompile(`sha256:[0-9a-f]{64}`)

// ImageDigest identifies what a guest boots: the SHA-256 of downloads, and the digests of the OCI images
// that the other files come from, the runner image included. Several are separated by a space. It is empty
// when one of them is not known: nobody says what is in a claim, a ConfigMap may have changed since, and
// not every kubelet tells the digests of image volumes.
func ImageDigest(ts *v1alpha1.TargetSession, pod *corev1.Pod) string {
	if ts.Spec.Qemu == nil || pod == nil {
		return ""
	}
	var all []string
	for _, l := range locate(ts.Spec.Qemu) {
		if l.Folder {
			continue // the results name the binaries one by one
		}
		d := l.digest(pod)
		if d == "" {
			return ""
		}
		if !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	return strings.Join(all, " ")
}

// digest of a file's origin; empty when it is not known.
func (l located) digest(pod *corev1.Pod) string {
	switch {
	case l.URL != "":
		return "sha256:" + l.SHA256
	case l.PersistentVolumeClaim != "" || l.ConfigMap != "":
		return ""
	}
	for _, c := range pod.Status.ContainerStatuses {
		if c.Name != v1alpha1.TargetContainer {
			continue
		}
		if l.volume == "" {
			return digest.FindString(c.ImageID)
		}
		for _, m := range c.VolumeMounts {
			if m.Name == l.volume && m.VolumeStatus != nil && m.VolumeStatus.Image != nil {
				return digest.FindString(m.VolumeStatus.Image.ImageRef)
			}
		}
	}
	return ""
}
