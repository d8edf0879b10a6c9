// Package target builds the pod of a TargetSession: a pure function from what is wanted to a pod that
// Pod Security "restricted" admits. What lives in that pod are the packages below this one.
//
//	TargetSession ──► Pod ──► init containers: one download for each url source
//	                     └──► container "target": /agent with every setting as a flag
//
// Nothing in the pod reads the Kubernetes API: what the agent has to know stands in its command line,
// and its credentials come from a Secret.
package target
