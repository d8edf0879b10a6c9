// Package targetpool keeps N equal TargetSessions, or one for each target that is found at its addresses.
//
//	replicas > sessions      ──► apply <pool>-<ordinal> for every missing ordinal     Scaling
//	replicas < sessions      ──► delete the highest ordinals                          Scaling
//	template changed         ──► apply to sessions that are not ready, at once;       Updating
//	                             to a ready one only when all others are ready
//	some sessions not ready  ──► wait                                                 WaitingForTargets
//	all ready and up to date                                                          Ready
//
//	an address has answered  ──► apply <pool>-<address with dashes>                   Scanning, Scaling
//	an address left the spec ──► delete its session
//
// The addresses of a pool are scanned by the discovery; one that has a session is left to the controller of
// that session. A session with a wanted name that belongs to somebody else is never touched; Ready then says NameTaken.
//
// Conditions (all written here, and nowhere else): Ready.
package targetpool
