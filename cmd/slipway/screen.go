package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/slipway-build/slipway/internal/progress"
)

// screen shows progress on stderr. On a terminal it keeps the lines of the tasks under way at the
// bottom, a bar each; elsewhere it says nothing but what took long, a line each.
type screen struct {
	out      io.Writer
	terminal bool
	quiet    bool

	mu    sync.Mutex
	tasks []*task
	drawn int // lines on the terminal that are ours
	stop  chan struct{}
	done  chan struct{}
}

// Times of the screen.
const (
	redraw   = 100 * time.Millisecond
	longTask = 2 * time.Second // what takes this long is worth a line where there is no terminal
	barWidth = 24
)

func newScreen(out io.Writer, quiet bool) *screen {
	s := &screen{out: out, quiet: quiet, stop: make(chan struct{}), done: make(chan struct{})}
	if f, ok := out.(*os.File); ok && !quiet && os.Getenv("TERM") != "dumb" {
		s.terminal = term.IsTerminal(int(f.Fd()))
	}
	if s.terminal {
		go s.loop()
	} else {
		close(s.done)
	}
	return s
}

func (s *screen) loop() {
	defer close(s.done)
	t := time.NewTicker(redraw)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-t.C:
			s.mu.Lock()
			s.draw()
			s.mu.Unlock()
		}
	}
}

// Close takes the bars away.
func (s *screen) Close() error {
	select {
	case <-s.stop:
		return nil
	default:
	}
	close(s.stop)
	<-s.done
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks = nil
	s.draw()
	return nil
}

// Write puts lines above the bars.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	n, err := s.out.Write(p)
	s.draw()
	return n, err
}

// Start implements progress.Reporter.
func (s *screen) Start(name string, total int64, unit progress.Unit) progress.Task {
	t := &task{screen: s, name: name, total: total, unit: unit, began: time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks = append(s.tasks, t)
	return t
}

// erase takes our lines off the terminal. The lock is held.
func (s *screen) erase() {
	if s.drawn > 0 {
		fmt.Fprintf(s.out, "\x1b[%dA\r\x1b[J", s.drawn)
	}
	s.drawn = 0
}

// draw replaces our lines by the state of now. The lock is held.
func (s *screen) draw() {
	if !s.terminal {
		return
	}
	s.erase()
	var b strings.Builder
	width := 100
	if w, _, err := term.GetSize(int(s.out.(*os.File).Fd())); err == nil && w > 10 {
		width = w
	}
	for _, t := range s.tasks {
		if time.Since(t.began) < redraw { // what is over in a blink only flickers
			continue
		}
		line := []rune(t.line())
		b.WriteString(string(line[:min(len(line), width-1)]) + "\n")
		s.drawn++
	}
	_, _ = io.WriteString(s.out, b.String())
}

// task is one task on the screen.
type task struct {
	screen *screen
	name   string
	total  int64
	unit   progress.Unit
	began  time.Time
	n      int64
	ended  bool
}

// Add implements progress.Task.
func (t *task) Add(n int64) {
	t.screen.mu.Lock()
	defer t.screen.mu.Unlock()
	t.n += n
}

// Done implements progress.Task.
func (t *task) Done(err error) {
	s := t.screen
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.ended {
		return
	}
	t.ended = true
	for i, other := range s.tasks {
		if other == t {
			s.tasks = append(s.tasks[:i], s.tasks[i+1:]...)
			break
		}
	}
	took := time.Since(t.began)
	if err == nil && took >= longTask && !s.quiet && !s.terminal {
		fmt.Fprintf(s.out, "%s: %s in %s\n", t.name, t.amount(t.n), duration(took))
	}
}

// line is the task as it stands: "downloading packages  [#####-----]  45 %  120 MB".
func (t *task) line() string {
	if t.total <= 0 {
		return fmt.Sprintf("  %-28s %s  %s", t.name, t.amount(t.n), duration(time.Since(t.began)))
	}
	part := min(1, float64(t.n)/float64(t.total))
	full := int(part * barWidth)
	bar := strings.Repeat("━", full) + strings.Repeat("╌", barWidth-full)
	return fmt.Sprintf("  %-28s %s %3.0f %%  %s of %s  %s", t.name, bar, part*100, t.amount(t.n), t.amount(t.total), duration(time.Since(t.began)))
}

func (t *task) amount(n int64) string {
	if t.unit == progress.Bytes {
		return size(n)
	}
	return fmt.Sprint(n)
}
