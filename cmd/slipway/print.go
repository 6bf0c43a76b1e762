package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/slipway-build/slipway/internal/terminal"
)

// print writes a result: as JSON, or as text by the function.
func (a *app) print(v any, text func(w io.Writer)) error {
	if a.format == "json" {
		e := json.NewEncoder(a.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(v)
	}
	var b strings.Builder
	text(&b)
	_, err := io.WriteString(a.out, printable(b.String()))
	return err
}

// table writes rows in columns; the first is the heading.
func table(w io.Writer, rows [][]string) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		cells := make([]string, len(r))
		for i, c := range r {
			cells[i] = strings.ReplaceAll(c, "\n", " ")
		}
		fmt.Fprintln(tw, strings.TrimRight(strings.Join(cells, "\t"), " "))
	}
	_ = tw.Flush()
}

// printable keeps out of the terminal what a stranger's text (a subject, a file's name, a workload's
// last words) could do to it: control characters but the line's end and the tab, and the marks that
// turn the direction of writing.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && terminal.Obeys(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// firstLine is what a message says before it goes into detail.
func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// size writes bytes for people.
func size(n int64) string {
	switch f := float64(n); {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 999_500:
		return fmt.Sprintf("%.3g kB", f/1e3)
	case n < 999_500_000:
		return fmt.Sprintf("%.3g MB", f/1e6)
	default:
		return fmt.Sprintf("%.2f GB", f/1e9)
	}
}

// duration writes a time span for people.
func duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	default:
		return d.Round(time.Second).String()
	}
}

// ago writes how long something is past.
func ago(t, now time.Time) string {
	d := max(0, now.Sub(t)) // clocks of other machines run ahead
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	}
}

// shortDigest is a digest as people compare it.
func shortDigest(d string) string {
	algorithm, hex, ok := strings.Cut(d, ":")
	if !ok {
		return d[:min(12, len(d))]
	}
	return algorithm + ":" + hex[:min(12, len(hex))]
}

// shortCommit is a commit as people write it.
func shortCommit(c string) string { return c[:min(7, len(c))] }
