package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// analyzed is what is said about every task-set of a line.
type analyzed struct {
	ID          json.RawMessage `json:"id,omitempty"`
	CPUs        int             `json:"cpus"`
	Tasks       [][3]int64      `json:"tasks"`
	Utilization float64         `json:"U"`
}

// analyzedOne is what is said about a task-set on one processor.
type analyzedOne struct {
	analyzed
	LiuLayland  bool     `json:"liu_layland"`
	Hyperbolic  bool     `json:"hyperbolic"`
	RTA         []*int64 `json:"rta"`
	FP          bool     `json:"fp_dm_schedulable"`
	PyCPA       []*int64 `json:"pycpa_wcrt,omitempty"`
	EDF         bool     `json:"edf_schedulable"`
	FPResponses []int64  `json:"simso_fp_max_response"`
	EDFMissed   int64    `json:"simso_edf_missed"`
}

// analyzedSeveral is what is said about a task-set on several processors.
type analyzedSeveral struct {
	analyzed
	GFB            bool    `json:"gfb"`
	BAK            bool    `json:"bak"`
	BCL            bool    `json:"bcl"`
	BCLI           bool    `json:"bcl_iterative"`
	BAR            *bool   `json:"bar"` // not offered
	GEDF           bool    `json:"gedf_rta"`
	GEDFBounds     []int64 `json:"gedf_rta_bounds,omitempty"`
	Bertogna       bool    `json:"gfp_bertogna"`
	BertognaBounds []int64 `json:"gfp_bertogna_bounds,omitempty"`
	Guan           bool    `json:"gfp_guan"`
	GuanBounds     []int64 `json:"gfp_guan_bounds,omitempty"`
	Tardiness      *int64  `json:"gedf_tardiness_x"`
	EDFMissed      int64   `json:"simso_gedf_missed"`
	EDFResponses   []int64 `json:"simso_gedf_max_response"`
	FPMissed       int64   `json:"simso_gfp_missed"`
	FPResponses    []int64 `json:"simso_gfp_max_response"`
}

// analyzeLines analyses the task-sets of files, and prints a line for each.
func analyzeLines(ctx context.Context, files []string, in io.Reader, out, log io.Writer) error {
	encoder := json.NewEncoder(out)
	failed := false
	for _, file := range files {
		text, err := readFile(file, in)
		if err != nil {
			fmt.Fprintln(log, err)
			failed = true
			continue
		}
		for number, line := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
			said, err := analyzeLine(ctx, line)
			switch {
			case ctx.Err() != nil:
				return stopped(ctx, err, log)
			case err != nil:
				fmt.Fprintf(log, "%s:%d: %s\n", file, number+1, oneLine(err))
				failed = true
				said = map[string]string{"error": oneLine(err)}
			}
			if err := encoder.Encode(said); err != nil {
				return err
			}
		}
	}
	if failed {
		return errors.New("not every task-set could be analysed")
	}
	return nil
}
