// Package render shows runs of the simulator: as text, as a Gantt chart in SVG, as a page, and as a trace for
// Perfetto. It is pure: the same run gives the same bytes.
//
//	sim.Run ──► Recorder ──► Run ──► Table, Jobs   text
//	                          ├────► SVG           Gantt chart, rows per task or per processor
//	                          ├────► HTML          page with the chart and tables, nothing else needed
//	                          └────► ChromeTrace   JSON for ui.perfetto.dev and chrome://tracing
//
// A Recorder keeps the jobs that were released first, up to a limit, and sums up all of them. What is shown is
// therefore complete up to a point in time, and a chart that ends early says so.
package render
