package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// report is what was measured. Times are seconds.
type report struct {
	Runs int           `json:"runs"`
	Seed uint64        `json:"seed"`
	Sets []measuredSet `json:"sets"`
}

type measuredSet struct {
	Name     string `json:"name"`
	Packages int    `json:"packages"`
	Requests int    `json:"requests"`
	SameSize int    `json:"sameSize"` // of the requests, for how many both answers have as many packages
	Rows     []row  `json:"rows"`
}

// row is one thing, and how long both took. Without a peer, Theirs is zero.
type row struct {
	What   string `json:"what"`
	Peer   string `json:"peer"`
	Ours   times  `json:"ours"`
	Theirs times  `json:"theirs"`
	// How many times as long theirs takes, by the sums of all runs.
	WallRatio float64 `json:"wallRatio"`
	CPURatio  float64 `json:"cpuRatio"`
}

// times are medians, and the sums for ratios: the requests that are solved differ too much for a ratio
// of medians.
type times struct {
	Wall   float64 `json:"wall"`
	CPU    float64 `json:"cpu"`
	Memory int64   `json:"memory,omitempty"` // bytes, the peak of a command

	walls, cpus []float64
}

func newRow(what, peer string) *row { return &row{What: what, Peer: peer} }

func (t *times) add(wall, cpu float64) {
	t.walls, t.cpus = append(t.walls, wall), append(t.cpus, cpu)
}

func (r *row) conclude() {
	for _, t := range []*times{&r.Ours, &r.Theirs} {
		t.Wall, t.CPU = median(t.walls), median(t.cpus)
	}
	r.WallRatio, r.CPURatio = ratio(r.Theirs.walls, r.Ours.walls), ratio(r.Theirs.cpus, r.Ours.cpus)
}

// latest is what was measured last, for whoever waits.
func (r *row) latest() string {
	text := fmt.Sprintf("  %s: %s", r.What, span(r.Ours.walls[len(r.Ours.walls)-1]))
	if n := len(r.Theirs.walls); n > 0 {
		text += fmt.Sprintf(", %s %s", r.Peer, span(r.Theirs.walls[n-1]))
	}
	return text
}

// median is 0 of nothing.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	list = slices.Sorted(slices.Values(list))
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}

// ratio compares the sums.
func ratio(a, b []float64) float64 {
	sum := func(list []float64) (s float64) {
		for _, x := range list {
			s += x
		}
		return s
	}
	if sum(b) == 0 {
		return 0
	}
	return sum(a) / sum(b)
}

var formats = map[string]func(io.Writer, *report) error{"text": writeText, "json": writeJSON}

func writeJSON(w io.Writer, r *report) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func writeText(w io.Writer, r *report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, s := range r.Sets {
		fmt.Fprintf(t, "%s: %d packages, %d requests by seed %d, %d runs\n", s.Name, s.Packages, s.Requests, r.Seed, r.Runs)
		fmt.Fprintln(t, "\twall\tprocessor\tmemory\ttheirs: wall\tprocessor\tmemory\tratio: wall\tprocessor\t")
		for _, row := range s.Rows {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t", row.What, span(row.Ours.Wall), span(row.Ours.CPU), size(row.Ours.Memory))
			if len(row.Theirs.walls) == 0 {
				fmt.Fprintln(t, "\t\t\t\t\t")
				continue
			}
			fmt.Fprintf(t, "%s %s\t%s\t%s\t%.1f\t%.1f\t\n", row.Peer, span(row.Theirs.Wall), span(row.Theirs.CPU), size(row.Theirs.Memory), row.WallRatio, row.CPURatio)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		if s.SameSize > 0 {
			fmt.Fprintf(w, "answers of the same size: %d of %d\n", s.SameSize, s.Requests)
		}
		fmt.Fprintln(w)
	}
	return nil
}

func span(seconds float64) string { return fmt.Sprintf("%.2f ms", 1000*seconds) }

func size(bytes int64) string {
	if bytes == 0 {
		return ""
	}
	return fmt.Sprintf("%d MB", bytes>>20)
}
