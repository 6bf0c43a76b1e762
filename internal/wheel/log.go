package wheel

import (
	"bytes"
	"context"
	"log/slog"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/slipway-build/slipway/internal/terminal"
)

// Bounds on what is kept of a backend's output.
const (
	tailLines  = 20
	lineLength = 400
)

// tail passes a backend's output to a log, line by line, and keeps its end. It never fails, however much is written.
type tail struct {
	project string
	log     *slog.Logger
	line    []byte
	lines   []string
}

func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		part, rest, ended := bytes.Cut(p, []byte("\n"))
		if room := lineLength*utf8.UTFMax - len(t.line); room > 0 {
			t.line = append(t.line, part[:min(room, len(part))]...)
		}
		if ended {
			t.flush()
		}
		p = rest
	}
	return n, nil
}

func (t *tail) flush() {
	line := strings.TrimRight(printable(string(t.line)), " ")
	t.line = t.line[:0]
	if line == "" {
		return
	}
	if t.log != nil && t.log.Enabled(context.Background(), slog.LevelDebug) {
		t.log.Debug("build backend", "project", t.project, "line", line)
	}
	if len(t.lines) == tailLines {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
	t.lines = append(t.lines, line)
}

// last gives the last lines.
func (t *tail) last() []string {
	t.flush()
	return t.lines
}

// escapeSequence is how programs colour a terminal (ECMA-48, control sequences).
var escapeSequence = regexp.MustCompile("\x1b\\[[0-?]*[ -/]*[@-~]")

// printable makes text fit for a terminal: no control characters, and not endlessly long.
func printable(s string) string {
	s = escapeSequence.ReplaceAllString(s, "")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == utf8.RuneError, terminal.Obeys(r):
			return -1
		}
		return r
	}, s)
	if len(s) > lineLength {
		cut := lineLength
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return s
}
