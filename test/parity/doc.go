// Package parity shows that this project can do what taskgen could, and that taskgen's defects are gone. It
// runs the real engine with its store, or the real client, against fake targets on the loopback.
//
// Each row of the list below has a test that begins with its name: TestF01SessionOrderAndBytes, TestG08…; a row
// that is covered by a test of another name says which. TestTheTableIsComplete checks that.
//
// F: what taskgen could.
//
//	F1  order and bytes of a session      F15 refused, then up              F29 admission control
//	F2  description XML                   F16 availability and generation   F30 simulation
//	F3  numbers, quota                    F17 address pools                 F31 dry run
//	F4  upload of binaries                F18 parallel distribution         F32 life cycle of QEMU
//	F5  large binaries, small segments    F19 variants by product           F33 live data, profile, reboot
//	F6  several binaries, each once       F20 any number of variants        F34 many tasks
//	F7  stamps                            F21 blocks                        F35 isolation of variants
//	F8  glued and split frames            F22 random draws with a seed      F36 periodic task-sets, duration
//	F9  every event type                  F23 retries, poison               F37 listing
//	F10 N jobs                            F24 stop, start again             F38 restart of the controller
//	F11 pushes where GO_SEND is due       F25 progress                      F39 wrap of stamps
//	F12 malformed frames                  F26 monitors                      F40 generations of the server
//	F13 hung targets                      F27 queries on the store          F41 second client
//	F14 lost connections                  F28 text output
//
// D, G, T, B: defects of taskgen's distributor, of its client for Genode, of its task-sets and of its blocks.
//
//	D1 a stop while a variant runs        D8  a start during a slow start   G2 glued frames lost
//	D2 a target that joins gets nothing   D9  a stop does not wait          G3 end of file inside a frame
//	D3 refused once, dropped for ever     D10 an error while idle           G4 half a length
//	D4 dead sessions stay                 D11 a queue's error is none       G5 an unknown task id
//	D5 errors kill the session            D12 waiting without targets       G6 outcomes other than EXIT
//	D6 a missing binary, for ever         D13 a bad CIDR                    G7 a document without events
//	D7 removed before it was added        G1  end of file is no event       G8 a push taken for GO_SEND
//	G9  half a file sent                  T1 shared list of tasks           B1 cond_42 out of reach
//	G10 binaries beside the script only   T2 jobs of other variants         B2 critical without effect
//	G11 one time-out for all              T3 nested config flattened        B3 broken task-sets
//	                                      T4 every variant made at once
//
// P: where taskgen and its targets did not agree. S: what a target does on bad input. W: what hurt users.
//
//	P1  OPTIMIZE to who does not know it  S1  an unknown word               S16 START before the binaries
//	P2  no pushes from 2017               S2  connection lost, tasks go on  S17 START twice
//	P3  half a file                       S3  lost inside a body            S18 two descriptions
//	P4  names beyond 15 characters        S4  XML that does not match       W1  "Genode freezes"
//	P5  no pkg                            S5  no config                     W2  a run that never ends
//	P6  nested config                     S6  XML declaration               W3  wrong data without a warning
//	P7  Nagle and delayed ACK             S7  unknown or double elements    W4  no provenance
//	P8  critical-time                     S8  another root                  W5  targets lost; hot retry loops
//	P9  priority beyond 127               S9  numbers that wrap             W6  units
//	P10 nine more event types             S10 a body of no bytes            W7  state in one process
//	                                      S11 a size of 2^31                W8  slow
//	                                      S12 a binary beyond the memory    W9  memory
//	                                      S13 a pkg of 32 bytes             W10 a closed world, no security
//	                                      S14 a name beyond 23 characters
//	                                      S15 an id beyond 99
//
// Rows that are covered by tests of another name, in this package or in another folder of the repository:
//
//	F32: test/e2e.TestACampaignSurvivesFrozenGuests
//	D6: TestF23MissingBinary
//	G2: TestF08FramesGluedAndSplit
//	G3: TestG01TheEndOfFileIsNews, internal/session.TestB15TheEndInsideAMessageIsAnother
//	G6: TestF09EveryEventTypeEndsAJob
//	G7: TestF12OddFramesAreSkipped
//	G9: TestF05LargeBinaryOverEthernetSegments
//	P1: TestNoGenerationIsSentAWordThatItDoesNotKnow, TestF29AdmissionControl
//	P2: TestF40ServerGenerations
//	P3: TestF05LargeBinaryOverEthernetSegments
//	P4: TestF04BinaryUpload
//	P6: TestT03ANestedConfigArrivesNested
//	P8: TestB02TheBlocksOfCriticalTimesHaveAnEffect
//	P10: TestF09EveryEventTypeEndsAJob
//	S1: TestNoGenerationIsSentAWordThatItDoesNotKnow
//	S2: TestT02JobsOfALostSessionAreNotThoseOfTheNext
//	S5: TestF02DescriptionXML
//	S6: TestF01SessionOrderAndBytes
//	S8: TestF01SessionOrderAndBytes
//	S13: TestF04BinaryUpload
//	S14: TestF04BinaryUpload
//	S15: TestF34MoreTasksThanATargetCanTellApartAreRefused
//	S17: TestS16EveryVariantIsSentInOrder
//	S18: TestS16EveryVariantIsSentInOrder
//	W1: TestF13HungTarget, TestF05LargeBinaryOverEthernetSegments, TestS03ATargetThatDiedOfAnotherClientIsBroughtBack
//	W2: TestEveryRunEnds
//	W3: TestF35IsolationBetweenVariants, TestT02JobsOfALostSessionAreNotThoseOfTheNext
//	W4: TestEveryAttemptHasItsProvenance
//	W5: TestThereIsNoHotRetryLoop
//	W7: TestF38RestartOfTheController
//	W8: TestABinaryIsSentOncePerConnection, TestP07NoVariantWaitsForADelayedAcknowledgement
//	W9: TestMemoryDoesNotGrowWithVariants
//	W10: cmd/manager.TestTheAPIServerDecidesWhoReads, test/manifests.TestTheManagersPodIsAdmittedAsRestricted
package parity
