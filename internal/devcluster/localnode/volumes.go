package localnode

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// volumes makes the volumes of one pod.
type volumes struct {
	source
	images  images
	pod     *corev1.Pod
	address string
	dir     string // a folder for each volume lies here
}

// prepare makes all volumes and returns the folder of each by its name. It may be called again:
// what is there stays. Errors are *waitError.
func (v volumes) prepare(ctx context.Context) (map[string]string, error) {
	folders := map[string]string{}
	for i := range v.pod.Spec.Volumes {
		volume := &v.pod.Spec.Volumes[i]
		folder, err := v.one(ctx, volume)
		var wait *waitError
		switch {
		case errors.As(err, &wait):
			return nil, wait
		case err != nil:
			return nil, waiting(reasonCreating, "MountVolume.SetUp failed for volume %q : %v", volume.Name, err)
		}
		folders[volume.Name] = folder
	}
	return folders, nil
}

func (v volumes) one(ctx context.Context, volume *corev1.Volume) (string, error) {
	folder := filepath.Join(v.dir, volume.Name)
	switch {
	case volume.EmptyDir != nil:
		return folder, v.emptyDir(folder)
	case volume.Secret != nil:
		s := volume.Secret
		files, err := v.secretFiles(ctx, s.SecretName, s.Optional, s.Items, s.DefaultMode)
		return folder, v.write(folder, files, err)
	case volume.ConfigMap != nil:
		c := volume.ConfigMap
		files, err := v.configMapFiles(ctx, c.Name, c.Optional, c.Items, c.DefaultMode)
		return folder, v.write(folder, files, err)
	case volume.DownwardAPI != nil:
		files, err := v.downwardFiles(volume.DownwardAPI.Items, volume.DownwardAPI.DefaultMode)
		return folder, v.write(folder, files, err)
	case volume.Projected != nil:
		files, err := v.projectedFiles(ctx, volume.Projected)
		return folder, v.write(folder, files, err)
	case volume.Image != nil:
		folder, err := v.images.folder(volume.Image.Reference)
		if err != nil {
			return "", waiting(reasonImagePull, "volume %q: %v", volume.Name, err)
		}
		return folder, nil
	case volume.PersistentVolumeClaim != nil:
		return v.claim(ctx, volume.Name, volume.PersistentVolumeClaim.ClaimName)
	}
	return "", waiting(reasonUnsupported, "volume %q: the local node has no volumes of this kind; use emptyDir, secret, configMap, downwardAPI, projected, image or persistentVolumeClaim", volume.Name)
}

// claim returns the folder of the PersistentVolume a claim is bound to, if that is on this machine.
func (v volumes) claim(ctx context.Context, volume, name string) (string, error) {
	claim, err := v.api.CoreV1().PersistentVolumeClaims(v.namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	if claim.Spec.VolumeName == "" || claim.Status.Phase != corev1.ClaimBound {
		return "", fmt.Errorf("persistentvolumeclaim %q is not bound", name)
	}
	pv, err := v.api.CoreV1().PersistentVolumes().Get(ctx, claim.Spec.VolumeName, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	var folder string
	switch {
	case pv.Spec.HostPath != nil:
		folder = pv.Spec.HostPath.Path
	case pv.Spec.Local != nil:
		folder = pv.Spec.Local.Path
	default:
		return "", waiting(reasonUnsupported, "volume %q: PersistentVolume %q is neither hostPath nor local, and the local node has no others", volume, pv.Name)
	}
	if !exists(folder) {
		return "", fmt.Errorf("folder %s of PersistentVolume %q does not exist on this machine", folder, pv.Name)
	}
	return folder, nil
}

// emptyDir makes a folder in which everybody may write, as a kubelet does.
func (v volumes) emptyDir(folder string) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	mode := os.FileMode(0o777)
	if group, ok := v.group(); ok {
		mode |= os.ModeSetgid
		if err := os.Chown(folder, -1, group); err != nil {
			return err
		}
	}
	return os.Chmod(folder, mode) // not narrowed by the umask
}

// group is the pod's fsGroup, if this node may give files to it.
func (v volumes) group() (int, bool) {
	sc := v.pod.Spec.SecurityContext
	if sc == nil || sc.FSGroup == nil || os.Geteuid() != 0 {
		return 0, false
	}
	return int(*sc.FSGroup), true
}

// token asks for a token of the pod's service account. It is not renewed.
func (v volumes) token(ctx context.Context, p *corev1.ServiceAccountTokenProjection) ([]byte, error) {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: p.ExpirationSeconds,
		BoundObjectRef:    &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: v.pod.Name, UID: v.pod.UID},
	}}
	if p.Audience != "" {
		request.Spec.Audiences = []string{p.Audience}
	}
	token, err := v.api.CoreV1().ServiceAccounts(v.namespace).CreateToken(ctx, v.pod.Spec.ServiceAccountName, request, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("token of service account %q: %w", v.pod.Spec.ServiceAccountName, err)
	}
	return []byte(token.Status.Token), nil
}
