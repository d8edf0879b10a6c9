package localnode

import "fmt"

// Reasons why a container waits, as a kubelet words them where it knows the case.
const (
	reasonCreating     = "ContainerCreating"
	reasonInitializing = "PodInitializing"
	reasonImagePull    = "ErrImagePull"
	reasonImageBackOff = "ImagePullBackOff"
	reasonConfig       = "CreateContainerConfigError"
	reasonCrashLoop    = "CrashLoopBackOff"
	reasonUnsupported  = "NotSupportedByLocalNode"
)

// waitError is why a container cannot start now; it becomes the state "waiting".
type waitError struct {
	reason  string
	message string
}

func (e *waitError) Error() string { return e.message }

func waiting(reason, format string, args ...any) *waitError {
	return &waitError{reason: reason, message: fmt.Sprintf(format, args...)}
}
