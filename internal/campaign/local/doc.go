// Package local runs one campaign without a cluster: it looks for targets at addresses, has the campaign engine
// run the variants on those that answer, and returns when every variant has its result or the caller has had
// enough.
package local
