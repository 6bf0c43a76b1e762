package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"github.com/slipway-build/slipway/internal/deploy"
)

// followInterval is how often followed logs are looked at.
const followInterval = 200 * time.Millisecond

// Logs implements deploy.Target. Following goes on to the next generation.
func (t *Target) Logs(ctx context.Context, request deploy.LogRequest, w io.Writer) error {
	h, err := t.home(request.Service, request.Environment)
	if err != nil {
		return err
	}
	v := &logView{home: h, request: request, w: w, files: map[string]*follower{}}
	defer v.close()
	if err := v.begin(); err != nil {
		return err
	}
	for request.Follow {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followInterval):
		}
		if err := v.advance(); err != nil {
			return err
		}
	}
	return nil
}

// logView shows the logs of the instances that a record names.
type logView struct {
	home    home
	request deploy.LogRequest
	w       io.Writer
	files   map[string]*follower // by path
}

// begin shows the last lines of each log.
func (v *logView) begin() error {
	logs, err := v.logs()
	if err != nil {
		return err
	}
	if len(logs) == 0 {
		return fmt.Errorf("%s is not deployed in %s, and has no logs", v.request.Service, v.request.Environment)
	}
	wanted := func(l instanceLog) bool { return v.request.Workload == "" || l.Workload == v.request.Workload }
	if !slices.ContainsFunc(logs, wanted) {
		return fmt.Errorf("no workload %s: there are %v", v.request.Workload, workloadNames(logs))
	}
	for _, l := range logs {
		if !wanted(l) {
			continue
		}
		f := &follower{path: l.File}
		v.files[l.File] = f
		lines, err := f.skip(v.request.Tail)
		if err != nil {
			return err
		}
		if err := v.write(l, lines); err != nil {
			return err
		}
	}
	return nil
}

// advance shows what was added, by new instances too.
func (v *logView) advance() error {
	logs, err := v.logs()
	if err != nil {
		return err
	}
	for _, l := range logs {
		if v.request.Workload != "" && l.Workload != v.request.Workload {
			continue
		}
		if v.files[l.File] == nil {
			v.files[l.File] = &follower{path: l.File}
		}
		lines, err := v.files[l.File].lines()
		if err != nil {
			return err
		}
		if err := v.write(l, lines); err != nil {
			return err
		}
	}
	return nil
}

func (v *logView) logs() ([]instanceLog, error) {
	last, err := v.home.load()
	return last.Logs, err
}

func (v *logView) write(l instanceLog, lines []string) error {
	prefix := ""
	if v.request.Workload == "" {
		prefix = l.Workload + " | "
	}
	for _, line := range lines {
		if _, err := fmt.Fprintf(v.w, "%s%s\n", prefix, line); err != nil {
			return err
		}
	}
	return nil
}

func (v *logView) close() {
	for _, f := range v.files {
		f.close()
	}
}

func workloadNames(logs []instanceLog) []string {
	var names []string
	for _, l := range logs {
		names = append(names, l.Workload)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
