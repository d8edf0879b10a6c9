// Package simfile reads what the simulator runs from files, and writes what comes of it. It is pure: it takes
// and gives bytes.
//
//	tasks.yaml, tasks.json  ──► Parse      systems in the simulator's own terms, and back: Marshal
//	SimSo's XML             ──► ParseXML   a model that SimSo has saved
//	SimSo's attributes      ──► ParseCase  the input of a recorded run
//	                                 │
//	                                 ▼ File ──► sim.Run ──► Collector ──► a line of JSON
//
// A mistake is reported with its path, its value and what to do; all of a file at once, as far as possible.
package simfile
