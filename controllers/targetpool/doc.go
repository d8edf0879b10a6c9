// Package targetpool keeps N equal TargetSessions.
//
//	replicas > sessions      ──► apply <pool>-<ordinal> for every missing ordinal     Scaling
//	replicas < sessions      ──► delete the highest ordinals                          Scaling
//	template changed         ──► apply to sessions that are not ready, at once;       Updating
//	                             to a ready one only when all others are ready
//	some sessions not ready  ──► wait                                                 WaitingForTargets
//	all ready and up to date                                                          Ready
//
// A session with a wanted name that belongs to somebody else is never touched; Ready then says NameTaken.
//
// Conditions (all written here, and nowhere else): Ready.
package targetpool
