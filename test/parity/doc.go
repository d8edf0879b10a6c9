// Package parity shows that this project can do what taskgen could, and that taskgen's defects are gone. It
// runs the real engine with its store, or the real client, against fake targets on the loopback.
//
// Tests named TestF01 and so on stand for one capability each; the ones in defects_test.go begin with what
// went wrong in taskgen: D in its distributor, G in its client for Genode, T in its task-sets.
//
//	F1  order and bytes of a session      F15 refused, then up              F29 admission control: see below
//	F2  description XML                   F16 availability and generation   F30 simulation: see below
//	F3  numbers, quota                    F17 address pools: see below      F31 dry run: see below
//	F4  upload of binaries                F18 parallel distribution         F32 life cycle of QEMU: test/e2e
//	F5  large binaries, small segments    F19 variants by product           F33 live data: see below
//	F6  several binaries, each once       F20 any number of variants        F34 many tasks
//	F7  stamps                            F21 blocks                        F35 isolation of variants
//	F8  glued and split frames            F22 random draws                  F36 periodic task-sets
//	F9  every event type                  F23 retries, poison               F37 listing
//	F10 N jobs                            F24 stop, start again             F38 restart of the controller
//	F11 pushes where GO_SEND is due       F25 progress                      F39 wrap of stamps
//	F12 malformed frames                  F26 monitors: see below           F40 generations of the server
//	F13 hung targets                      F27 queries on the store          F41 second client
//	F14 lost connections                  F28 text output: see below
//
// What has no test because it does not exist yet, in whole or in part:
//
//	F16 the ICMP check                    a session class that pings an address before it connects
//	F17 address pools                     TargetPool.spec.addresses with CIDR, ranges and exclusions
//	F19 taskgen's own order               an option to take attributes in the order of the alphabet
//	F26, F28 monitors                     sinks: text, CSV, JSON Lines, MongoDB
//	F29 admission control                 OPTIMIZE on 2017, goal in the description on 1608b, refusal elsewhere
//	F30 simulation                        the session class SimSo
//	F31 dry run                           the session class Stdio
//	F33 live data on request, reboot      calls for GET_LIVE, GET_PROFILE and REBOOT
//	F36 completion by duration            only completion by jobs exists
//	F41 a target in use is not hammered   it is reported, and left alone by the pauses between attempts only
package parity
