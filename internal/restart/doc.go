// Package restart says how often something may be restarted. It is pure: times are arguments.
//
// Restarting is budgeted twice. Policy is the budget of one target: each restart waits longer than the
// one before, only so many are allowed, and a healthy period earns the whole budget back. MayRestart is
// the budget of a fleet: when too many targets are unhealthy at once the cause is most likely shared,
// and restarting everything would only destroy the evidence.
package restart
