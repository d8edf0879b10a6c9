// Package targetsession keeps one target of class Qemu alive: a pod with a virtual machine, and its agent.
// The classes without a pod belong to package addresstarget.
//
//	          sources found          pod runs            first echo
//	Pending ───────────────► Starting ────────► Booting ────────────► Ready ◄─────────┐
//	   ▲                        ▲                  │                    │             │
//	   │ epoch+1 stored,        │                  │ BootOverdue        │ silent      │ the agent brings
//	   │ old pod gone           │                  ▼                    ▼             │ the guest back
//	   │                        └─────────────── Recovering (in the pod: restore, reset, relaunch)
//	   │                                           │ NeedsReplacement, AgentSilent,
//	   │     backoff, budget, fleet breaker        ▼ PodFailed, PodMissing
//	   └──────────────────────────────────────── Failed ──── limit reached ───► RestartsExhausted
//
// The agent in the pod recovers its guest by itself; this controller only replaces pods. A pod belongs
// to an epoch, which is stored before the pod is made, and it is made only after the pods of all earlier
// epochs are gone: there are never two pods of one target. A changed spec is a new epoch too, but
// not a restart. A pod that somebody deleted, or that its node lost, is made anew even where the step
// Replace is switched off or the fleet breaker is open: there is nothing left to preserve.
//
// Conditions (all written here, and nowhere else):
//
//	SourcesReady       every ConfigMap and claim exists, downloads succeeded, the agent accepts its files
//	PodRunning         the target container of this epoch's pod runs
//	GuestAlive         the agent's verdict; Unknown/AgentSilent when the agent does not report
//	SnapshotUsable     the guest has survived a restore
//	RestartAllowed     False while backoff, breaker, limit or a switched-off step holds a new pod back
//	RestartsExhausted  present while the restart budget is used up
//	Ready              SourcesReady, PodRunning, GuestAlive, and the guest's port serves
package targetsession
