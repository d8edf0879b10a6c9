package localnode

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	corev1 "k8s.io/api/core/v1"
)

// nobody is the user of containers that must not be root and name no user.
const nobody = 65534

// credential is the user a container asks for, or nil when it asks for none. The container's own
// security context goes before that of its pod.
func credential(pod *corev1.PodSecurityContext, c *corev1.SecurityContext) *syscall.Credential {
	if pod == nil {
		pod = &corev1.PodSecurityContext{}
	}
	if c == nil {
		c = &corev1.SecurityContext{}
	}
	user, group := first(c.RunAsUser, pod.RunAsUser), first(c.RunAsGroup, pod.RunAsGroup)
	nonRoot := isTrue(c.RunAsNonRoot) || c.RunAsNonRoot == nil && isTrue(pod.RunAsNonRoot)
	if user == nil && !nonRoot {
		return nil
	}
	credential := &syscall.Credential{Uid: nobody, Gid: 0}
	if user != nil {
		credential.Uid = uint32(*user)
	}
	if user == nil {
		credential.Gid = nobody
	}
	if group != nil {
		credential.Gid = uint32(*group)
	}
	for _, g := range pod.SupplementalGroups {
		credential.Groups = append(credential.Groups, uint32(g))
	}
	if pod.FSGroup != nil {
		credential.Groups = append(credential.Groups, uint32(*pod.FSGroup))
	}
	return credential
}

func first(values ...*int64) *int64 {
	for _, v := range values {
		if v != nil {
			return v
		}
	}
	return nil
}

// reachable says why a user who owns nothing cannot reach a folder, if so.
func reachable(folder string) error {
	for dir := folder; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if info.Mode()&0o001 == 0 {
			return fmt.Errorf("folder %s is closed to other users (chmod o+x %s would open it)", dir, dir)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}
