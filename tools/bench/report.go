package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"golang.org/x/sys/unix"
)

// report is what was measured, and on what.
type report struct {
	Runs     int       `json:"runs"` // of each thing
	Packages packages  `json:"packages"`
	Machine  machine   `json:"machine"`
	Versions []version `json:"versions"`
	Rows     []row     `json:"rows"`
}

type packages struct {
	Universe string `json:"universe"` // its size: small, full; or given

	Count int   `json:"count"`
	Bytes int64 `json:"bytes"`
}

type machine struct {
	Processor  string `json:"processor"`
	Cores      int    `json:"cores"`
	Memory     int64  `json:"memory"` // bytes
	Kernel     string `json:"kernel"`
	FileSystem string `json:"fileSystem"`
}

type version struct {
	Tool    string `json:"tool"`
	Version string `json:"version"`
}

// row is a thing that was measured; the first entry is ours.
type row struct {
	What    string  `json:"what"`
	Entries []entry `json:"entries"`
}

// entry is how one tool did. Where Missing says why it did not, the rest is zero.
type entry struct {
	Tool    string    `json:"tool"`
	Missing string    `json:"missing,omitempty"`
	Runs    []float64 `json:"runs,omitempty"`  // seconds
	Work    []float64 `json:"work,omitempty"`  // seconds on processors, of each run
	Seconds float64   `json:"seconds"`         // median of runs
	CPU     float64   `json:"cpu"`             // median of work
	Ratio   float64   `json:"ratio"`           // of the median to ours
	Memory  int64     `json:"memory"`          // bytes at most, of all processes together, of all runs
	Bytes   int64     `json:"bytes,omitempty"` // of the result
}

// conclude fills in medians and ratios.
func (r *row) conclude() {
	for i := range r.Entries {
		e := &r.Entries[i]
		e.Seconds, e.CPU = median(e.Runs), median(e.Work)
		if ours := r.Entries[0].Seconds; ours > 0 {
			e.Ratio = e.Seconds / ours
		}
	}
}

// median is 0 of nothing.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	list = slices.Sorted(slices.Values(list))
	middle := len(list) / 2
	if len(list)%2 == 1 {
		return list[middle]
	}
	return (list[middle-1] + list[middle]) / 2
}

// spread is the widest range of an entry's runs, as a part of their median.
func (r *report) spread() float64 {
	var widest float64
	for _, row := range r.Rows {
		for _, e := range row.Entries {
			if len(e.Runs) > 1 {
				widest = max(widest, (slices.Max(e.Runs)-slices.Min(e.Runs))/e.Seconds)
			}
		}
	}
	return widest
}

// describe says what is measured on what, before it is.
func (b *bench) describe(ctx context.Context) (*report, error) {
	r := &report{Runs: b.asked.runs, Packages: packages{b.asked.size, len(b.universe.files), b.universe.bytes}}
	if b.asked.universe != "" {
		r.Packages.Universe = "given"
	}
	r.Machine.Cores = runtime.NumCPU()
	r.Machine.Processor = processor()
	var err error
	if r.Machine.Memory, err = memory("MemTotal"); err != nil {
		return nil, err
	}
	if r.Machine.FileSystem, err = fileSystem(b.work); err != nil {
		return nil, err
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return nil, err
	}
	r.Machine.Kernel = unix.ByteSliceToString(name.Release[:])
	for _, tool := range []string{b.program, "dnf", "rpm", "buildah", "tar", compressor()} {
		r.Versions = append(r.Versions, version{filepath.Base(tool), b.version(ctx, tool)})
	}
	return r, nil
}

// version is the first line of what a tool says it is.
func (b *bench) version(ctx context.Context, tool string) string {
	if missing(entrant{needs: []string{tool}}) != "" {
		return "not installed"
	}
	out, err := b.run(ctx, tool, "--version")
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
	for _, word := range strings.Fields(line) {
		if strings.ContainsAny(word, "0123456789") || word == "dev" {
			return word
		}
	}
	return cmp.Or(line, "unknown")
}

// memory reads a line of /proc/meminfo, in bytes.
func memory(name string) (int64, error) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == name+":" {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/meminfo has no %s", name)
}

// processor is the name of the first one, "" where the kernel does not tell.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// formats are the ways to write a report.
var formats = map[string]func(io.Writer, *report) error{"text": writeText, "markdown": writeMarkdown, "json": writeJSON}

func writeJSON(w io.Writer, r *report) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func writeText(w io.Writer, r *report) error {
	var out bytes.Buffer
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, cells := range append([][]string{{"WHAT", "WITH", "TIME", "RATIO", "CPU", "MEMORY", "SIZE"}}, r.cells()...) {
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(out.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", strings.Join(r.notes(), "\n"))
	return err
}

func writeMarkdown(w io.Writer, r *report) error {
	lines := []string{"| what | with | time | ratio | CPU | memory | size |", "|---|---|---:|---:|---:|---:|---:|"}
	for _, cells := range r.cells() {
		if cells[0] != "" { // ours
			cells[2] = "**" + cells[2] + "**"
		}
		lines = append(lines, "| "+strings.Join(cells, " | ")+" |")
	}
	_, err := fmt.Fprintf(w, "%s\n\n%s\n", strings.Join(lines, "\n"), strings.Join(r.notes(), "  \n"))
	return err
}

// cells are the table's: what, with, time, ratio, CPU, memory, size.
func (r *report) cells() [][]string {
	var all [][]string
	for _, row := range r.Rows {
		for i, e := range row.Entries {
			cells := []string{"", e.Tool, e.Missing, "", "", "", ""}
			if i == 0 {
				cells[0] = row.What
			}
			if e.Missing == "" {
				cells[2], cells[4] = span(e.Seconds), span(e.CPU)
				if i > 0 {
					cells[3] = fmt.Sprintf("%.1f×", e.Ratio)
				}
			}
			if e.Memory > 0 {
				cells[5] = megabytes(e.Memory)
			}
			if e.Bytes > 0 {
				cells[6] = megabytes(e.Bytes)
			}
			all = append(all, cells)
		}
	}
	return all
}

// notes say what a reader needs to judge the table, a sentence a line.
func (r *report) notes() []string {
	m := r.Machine
	times := "Each time is of one run, wall clock of whole commands."
	if r.Runs > 1 {
		times = fmt.Sprintf("Each time is the median of %d runs in turns, wall clock of whole commands; runs of one thing differ by at most %.0f %%.",
			r.Runs, 100*r.spread())
	}
	var versions []string
	for _, v := range r.Versions {
		versions = append(versions, v.Tool+" "+v.Version)
	}
	return []string{
		fmt.Sprintf("%d RPMs, %s, of tools/universe (%s); everybody checks their signatures.", r.Packages.Count, megabytes(r.Packages.Bytes), r.Packages.Universe),
		times + " CPU is the time on processors and memory what was resident at most, of all processes together.",
		fmt.Sprintf("All of it on %s; %d cores (%s), %.0f GB of memory, Linux %s.", m.FileSystem, m.Cores, m.Processor, float64(m.Memory)/1e9, m.Kernel),
		strings.Join(versions, ", ") + ".",
	}
}

// span writes a duration with three digits.
func span(seconds float64) string {
	switch {
	case seconds >= 100:
		return fmt.Sprintf("%.0f s", seconds)
	case seconds >= 10:
		return fmt.Sprintf("%.1f s", seconds)
	case seconds >= 1:
		return fmt.Sprintf("%.2f s", seconds)
	default:
		return fmt.Sprintf("%.0f ms", seconds*1000)
	}
}

func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }
