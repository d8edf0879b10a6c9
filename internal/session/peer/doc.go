// Package peer is what every server and client of connections here needs: accepting a bounded number of
// them, keep-alive, and noticing that the other side is gone although nobody reads from it just now.
package peer
