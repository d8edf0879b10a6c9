// Package taskset runs campaigns: it keeps the campaign engine in step with the TaskSets and their
// targets, and tells in the status what the engine does.
//
//	spec ──► Valid? ──► BinariesReady? ──► Progressing ──► Complete
//	           │no          │no              ▲   │            │
//	           ▼            ▼                │   ▼            ▼
//	       wait for a    look again      resumed  suspended   Failed (some variant has no
//	       new TaskSet   in 5 s                               attempt left), then the time
//	                                                          to live
//
// The engine owns every socket and every goroutine; a pass reads its newest snapshot and returns. A
// finished campaign is no longer in the engine: its status is the last word, its records stay in the store.
//
// Conditions and who writes them: all of them are written here, in report.go.
package taskset
