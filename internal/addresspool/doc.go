// Package addresspool says which addresses a pool consists of, and who answers there. Ranges are pure, and
// cost the same for a single address as for a network with 2^64 of them: nothing is expanded before it is
// asked for. A Scanner goes through the ranges of any number of pools and keeps those that answer.
package addresspool
