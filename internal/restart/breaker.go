package restart

// smallestFleet is the number of targets below which a share says nothing about a shared cause.
const smallestFleet = 3

// MayRestart is the fleet breaker: false while more than maxPercent of a fleet of three or more is
// unhealthy. Both counts include the target that asks.
func MayRestart(unhealthy, fleet, maxPercent int) bool {
	return fleet < smallestFleet || int64(unhealthy)*100 <= int64(fleet)*int64(maxPercent)
}
