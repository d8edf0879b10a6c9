// Package desk decides who may be attached to which serial line, and knows who is.
//
//	Request ──► Policy of its label ──► limits ──► share.Line
//	              none: denied            full: denied
//
// Whoever is attached stands in a session.Registry, from the moment of the attachment to its end.
package desk
