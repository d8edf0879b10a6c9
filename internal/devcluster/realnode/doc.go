// Package realnode runs a one-node Kubernetes cluster with a real kubelet on this machine: control plane,
// containerd, runc, CNI plugins, kubelet and kube-proxy, in namespaces of their own.
//
//	Start ──► init (PID 1 of new PID, network, mount, UTS and IPC namespaces)
//	            │ reaps orphans, ends when Start's process does
//	            └─ run: mounts, network ──► containerd, kubebox server, kubelet, kube-proxy
//	                                            │
//	                                            └─ runc: pods on the bridge cni0
//
// Every address exists only in that network namespace. When PID 1 ends, the kernel ends everything in its
// PID namespace; what is left on the machine is the folder of the state, and cgroups, which Stop removes.
//
// It needs root, and Debian's containerd, runc and containernetworking-plugins. It is for tests: what runs
// in its pods is isolated as containers are, but the node shares the machine's kernel and disk.
package realnode
