package target

import (
	"fmt"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

const (
	sourcesPath     = "/sources"
	fetchedPath     = "/fetched"
	defaultBinaries = "/binaries"

	workVolume        = "work"
	credentialsVolume = "credentials"
	fetchedVolume     = "fetched"
	downloadPrefix    = "fetch-"
)

// Source is one file, or the folder of binaries, that a target needs.
type Source struct {
	// Field of the TargetSession that names it, for example spec.qemu.boot.kernel.
	Field string
	// Folder is true for spec.qemu.binaries.
	Folder bool
	v1alpha1.FileSource
}

// Sources lists what a target needs, in the order of the fields.
func Sources(q *v1alpha1.QemuTarget) []Source {
	var all []Source
	add := func(field string, folder bool, s *v1alpha1.FileSource) {
		if s != nil {
			all = append(all, Source{Field: field, Folder: folder, FileSource: *s})
		}
	}
	add("spec.qemu.boot.kernel", false, q.Boot.Kernel)
	add("spec.qemu.boot.initrd", false, q.Boot.Initrd)
	add("spec.qemu.boot.iso", false, q.Boot.ISO)
	add("spec.qemu.boot.disk", false, q.Boot.Disk)
	add("spec.qemu.binaries", true, q.Binaries)
	return all
}

// FieldOfDownload returns the field whose file the named init container fetches, or "".
func FieldOfDownload(container string) string {
	name, ok := strings.CutPrefix(container, downloadPrefix)
	if !ok {
		return ""
	}
	return "spec.qemu.boot." + name
}

// located is a Source and where it lies in the container.
type located struct {
	Source
	name   string // last part of the field
	volume string // "" for the runner image
	path   string
}

type sources []located

// locate gives each distinct origin one volume, and each source its path in the container.
func locate(q *v1alpha1.QemuTarget) sources {
	var (
		all     sources
		volumes = map[string]string{}
	)
	for _, s := range Sources(q) {
		l := located{Source: s, name: path.Ext(s.Field)[1:]}
		if s.URL != "" {
			l.volume, l.path = fetchedVolume, path.Join(fetchedPath, l.name)
			all = append(all, l)
			continue
		}
		origin := s.Image + "|" + s.PersistentVolumeClaim + "|" + s.ConfigMap
		if origin == "||" {
			l.path = path.Join("/", s.Path)
			all = append(all, l)
			continue
		}
		if volumes[origin] == "" {
			volumes[origin] = fmt.Sprintf("source-%d", len(volumes))
		}
		l.volume = volumes[origin]
		l.path = path.Join(sourcesPath, l.volume, s.Path)
		all = append(all, l)
	}
	return all
}

// path returns where the named source lies, "" when the target has none.
func (all sources) path(name string) string {
	for _, l := range all {
		if l.name == name {
			return l.path
		}
	}
	return ""
}

func volumes(session *v1alpha1.TargetSession, src sources) []corev1.Volume {
	work := mebibytes(memoryMebibytes(session.Spec.Qemu) + workSlackMebibytes)
	made := []corev1.Volume{
		emptyDir(workVolume, &work),
		{Name: credentialsVolume, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: CredentialsSecret(session.Name), DefaultMode: ptr.To[int32](0o440),
		}}},
	}
	seen := map[string]bool{"": true}
	for _, l := range src {
		if seen[l.volume] {
			continue
		}
		seen[l.volume] = true
		if l.URL != "" {
			made = append(made, emptyDir(fetchedVolume, nil))
			continue
		}
		made = append(made, corev1.Volume{Name: l.volume, VolumeSource: volumeSource(l.FileSource)})
	}
	return made
}

func emptyDir(name string, limit *resource.Quantity) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: limit}}}
}

func volumeSource(s v1alpha1.FileSource) corev1.VolumeSource {
	switch {
	case s.Image != "":
		return corev1.VolumeSource{Image: &corev1.ImageVolumeSource{Reference: s.Image, PullPolicy: corev1.PullIfNotPresent}}
	case s.PersistentVolumeClaim != "":
		return corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: s.PersistentVolumeClaim, ReadOnly: true}}
	default:
		return corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: s.ConfigMap}, DefaultMode: ptr.To[int32](0o444),
		}}
	}
}

func mounts(src sources) []corev1.VolumeMount {
	made := []corev1.VolumeMount{
		{Name: workVolume, MountPath: workPath},
		{Name: credentialsVolume, MountPath: credentialsPath, ReadOnly: true},
	}
	seen := map[string]bool{"": true}
	for _, l := range src {
		if seen[l.volume] {
			continue
		}
		seen[l.volume] = true
		at := path.Join(sourcesPath, l.volume)
		if l.URL != "" {
			at = fetchedPath
		}
		made = append(made, corev1.VolumeMount{Name: l.volume, MountPath: at, ReadOnly: true})
	}
	return made
}

// downloads are the init containers: one for each url, named after its field.
func downloads(image string, src sources) []corev1.Container {
	var made []corev1.Container
	for _, l := range src {
		if l.URL == "" {
			continue
		}
		made = append(made, corev1.Container{
			Name:    downloadPrefix + l.name,
			Image:   image,
			Command: []string{"/agent", "fetch"},
			Args: []string{
				"--url=" + literal(l.URL), "--sha256=" + l.SHA256, "--to=" + l.path, "--field=" + l.Field,
				"--termination-log=" + terminationLog,
			},
			SecurityContext: restricted(),
			Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
				corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("64Mi"),
			}},
			VolumeMounts:             []corev1.VolumeMount{{Name: fetchedVolume, MountPath: fetchedPath}},
			TerminationMessagePath:   terminationLog,
			TerminationMessagePolicy: corev1.TerminationMessageReadFile,
		})
	}
	return made
}
