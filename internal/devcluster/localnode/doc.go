// Package localnode is a small, honest Kubernetes node for development and demonstration: it runs
// the containers of the pods bound to it as ordinary processes of this machine.
//
//	pods (watch) ──► pod worker ──► container ──► process group
//	                    │ ▲            │ probes, back-off, termination message
//	      status patch ◄┘ └ deletion   └ log file ──► HTTPS API ──► kubectl logs
//
// What is like on a kubelet: init containers, restart policies, exit codes, probes, conditions,
// events, graceful deletion, logs, environment and files from Secrets and ConfigMaps.
//
// What is not:
//   - An image is a folder of this machine ([Options].Images). Nothing is isolated: no chroot, no
//     namespaces, no resource limits, no seccomp, no read-only root file system. Instead, paths in
//     command, arguments and environment are rewritten to where the image's and the volumes'
//     files really are; see [paths].
//   - A pod's address is one of 127.77.0.0/16 and the ports of different pods are told apart by it
//     alone: a program must listen on its pod's address, not on all of them.
//   - A crashed container is started again at once, then after 1 s, 2 s, ... up to 30 s, where a
//     kubelet waits 10 s to 5 min; a minute's run resets the delay.
//   - Not supported, and refused with a message in the pod's status: hostPath and other volumes
//     not named below, sidecar containers (init containers with restartPolicy Always), gRPC
//     probes. Ignored: lifecycle hooks, activeDeadlineSeconds, exec, attach and port-forward,
//     updates of Secrets and ConfigMaps after the pod's start.
//   - Nothing is mounted, so readOnly is not enforced, and neither is emptyDir's sizeLimit.
//   - Volumes: emptyDir, secret, configMap, downwardAPI, projected, image, and
//     persistentVolumeClaim if it is bound to a hostPath or local PersistentVolume.
//
// When the node dies, the kernel kills the containers' processes; when it starts again on the same
// folder it removes what is left of them, and starts the containers of its pods again.
package localnode
