// Package dialect translates between the sessions of the gateway and the messages of the sessionOffload API.
//
// The API has two families. In that of 2020 (sessions.v1) the server numbers sessions, and addresses are bytes and text. In
// all later ones (openoffload.*) the client does, and IPv4 addresses are numbers; they differ in names only, not on the wire,
// so that one set of messages does for all of them: that of v1_1, which has the most.
package dialect
