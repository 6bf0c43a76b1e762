// Command recording runs a program and makes an animated SVG of what it prints, for the README: lines
// appear when they did (long waits are shortened), and the view scrolls as a terminal's does.
//
//	go run ./tools/recording -o docs/demo.svg -- make demo
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "recording: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	out := flag.String("o", "recording.svg", "file to write")
	columns := flag.Int("columns", 124, "width in characters")
	rows := flag.Int("rows", 28, "height in lines")
	pause := flag.Duration("pause", 1200*time.Millisecond, "longest wait that is shown")
	flag.Parse()
	if flag.NArg() == 0 {
		return errors.New("name a program to run")
	}
	cmd := exec.CommandContext(ctx, flag.Arg(0), flag.Args()[1:]...) //nolint:gosec // the point of it
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return err
	}
	r := record(stdout, "$ "+strings.Join(flag.Args(), " "), home, *pause)
	if err := cmd.Wait(); err != nil {
		return err
	}
	return os.WriteFile(*out, []byte(r.svg(*columns, *rows)), 0o644)
}

// recording is lines with the times at which they are shown.
type recording struct {
	lines []string
	at    []time.Duration
}

// record reads what is printed; the home folder is nobody's business.
func record(r io.Reader, title, home string, pause time.Duration) *recording {
	rec := &recording{lines: []string{title}, at: []time.Duration{0}}
	var clock time.Duration
	last := time.Now()
	scanner := bufio.NewScanner(r)
	for scanner.Scan() {
		clock += min(time.Since(last), pause) + 15*time.Millisecond
		last = time.Now()
		rec.lines = append(rec.lines, strings.ReplaceAll(scanner.Text(), home, "~"))
		rec.at = append(rec.at, clock)
	}
	return rec
}

// Sizes in pixels.
const (
	charWidth  = 7.83
	lineHeight = 17.0
	margin     = 12.0
	tail       = 6 * time.Second // the end stays this long
)

func (r *recording) svg(columns, rows int) string {
	total := r.at[len(r.at)-1] + tail
	width, height := margin*2+charWidth*float64(columns), margin*2+lineHeight*float64(rows)
	percent := func(t time.Duration) float64 { return 100 * t.Seconds() / total.Seconds() }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img">
<title>%s</title>
<style>
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d7dce2; white-space: pre; }
.head { fill: #7cc5ff; font-weight: bold; } .good { fill: #8fd694; } .bad { fill: #ff9a8b; } .dim { fill: #8c95a0; }
#lines { animation: scroll %.2fs step-end infinite; }
@keyframes scroll {
`, width, height, width, height, html.EscapeString(r.lines[0]), total.Seconds())
	for i, at := range r.at {
		if over := i + 1 - rows; over >= 0 {
			fmt.Fprintf(&b, "%.3f%% { transform: translateY(-%.0fpx) }\n", percent(at), float64(over)*lineHeight)
		}
	}
	b.WriteString("}\n")
	for i, at := range r.at {
		fmt.Fprintf(&b, "@keyframes l%d { 0%% { opacity: 0 } %.3f%%, 100%% { opacity: 1 } } #l%d { animation: l%d %.2fs step-end infinite }\n", i, percent(at), i, i, total.Seconds())
	}
	fmt.Fprintf(&b, `</style>
<rect width="100%%" height="100%%" rx="8" fill="#1b1f24"/>
<svg x="%.0f" y="%.0f" width="%.0f" height="%.0f"><g id="lines">
`, margin, margin, width-2*margin, height-2*margin)
	for i, line := range r.lines {
		runes := []rune(line)
		fmt.Fprintf(&b, `<text id="l%d" class="%s" y="%.0f">%s</text>`+"\n", i, class(line), float64(i)*lineHeight+13, html.EscapeString(string(runes[:min(len(runes), columns)])))
	}
	b.WriteString("</g></svg>\n</svg>\n")
	return b.String()
}

// class colours lines as a reader would mark them.
func class(line string) string {
	trimmed := strings.TrimSpace(line)
	switch {
	case strings.HasPrefix(line, "== "), strings.HasPrefix(line, "$ "), strings.HasPrefix(line, "STEP"):
		return "head"
	case strings.HasPrefix(trimmed, "error:"):
		return "bad"
	case strings.HasPrefix(trimmed, "Hel"), strings.Contains(line, "healthy  "):
		return "good"
	case strings.HasPrefix(trimmed, "-- "), strings.HasPrefix(trimmed, "layers:"), strings.HasPrefix(trimmed, "building wheels:"):
		return "dim"
	}
	return "plain"
}
