package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

func TestHold(t *testing.T) {
	var turns []string
	turn := func(name string) func(context.Context) error {
		return func(context.Context) error { turns = append(turns, name); return nil }
	}
	c := contest{"work", []entrant{
		{
			name: "ours", setup: turn("setup"), before: turn("before"), run: turn("ours"),
			after: func(context.Context) (int64, error) { return 7e6, nil },
		},
		{name: "peer", run: turn("peer")},
		{name: "absent", needs: []string{"no-such-program"}, run: turn("absent")},
		{name: "broken", run: func(context.Context) error { return errors.New("out of order") }},
	}}
	var log bytes.Buffer
	b := &bench{asked: options{runs: 2}, log: &log}
	r, err := b.hold(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"setup", "before", "ours", "peer", "before", "ours", "peer"}; !slices.Equal(turns, want) {
		t.Errorf("turns %q, want %q", turns, want)
	}
	if got := r.Entries; got[0].Bytes != 7e6 || len(got[1].Runs) != 2 ||
		got[2].Missing != "no-such-program not installed" || got[3].Missing != "failed" || len(got[3].Runs) != 0 {
		t.Errorf("entries %+v", got)
	}
	if !strings.Contains(log.String(), "broken: out of order") {
		t.Errorf("the log does not say why one failed:\n%s", log.String())
	}

	c.entrants = c.entrants[3:] // now it is ours
	if _, err := b.hold(t.Context(), c); err == nil || !strings.Contains(err.Error(), "out of order") {
		t.Errorf("ours failed, and the error is %v", err)
	}
}

func TestCommandEnds(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	s := shell{dir: t.TempDir(), env: []string{"PATH=/usr/bin:/bin"}}
	// The grandchild holds stdout open; without its end the command would not end either.
	if _, err := s.run(ctx, "sh", "-c", "sleep 1000 & wait"); err == nil {
		t.Error("a command that was interrupted gave no error")
	}
}

func TestReport(t *testing.T) {
	r := &report{
		Runs: 3, Packages: packages{"small", 115, 47e6}, Machine: machine{"CPU", 2, 25e9, "6.18", "tmpfs"},
		Versions: []version{{"slipway", "v1"}, {"dnf", "not installed"}},
		Rows: []row{
			{What: "resolve", Entries: []entry{{Tool: "slipway lock", Runs: []float64{0.2, 0.1, 0.12}, Work: []float64{0.1, 0.1, 0.3}}, {Tool: "dnf", Missing: "dnf not installed"}}},
			{What: "base", Entries: []entry{{Tool: "slipway build", Runs: []float64{2, 2, 2}, Work: []float64{3, 3, 3}, Memory: 3e8, Bytes: 4e8}, {Tool: "dnf, tar", Runs: []float64{25, 26, 27}, Work: []float64{40, 40, 40}, Bytes: 3.95e8}}},
		},
	}
	for i := range r.Rows {
		r.Rows[i].conclude()
	}
	for name, want := range map[string]string{
		"text": `WHAT     WITH           TIME               RATIO  CPU     MEMORY  SIZE
resolve  slipway lock   120 ms                    100 ms
         dnf            dnf not installed
base     slipway build  2.00 s                    3.00 s  300 MB  400 MB
         dnf, tar       26.0 s             13.0×  40.0 s          395 MB

115 RPMs, 47 MB, of tools/universe (small); everybody checks their signatures.
Each time is the median of 3 runs in turns, wall clock of whole commands; runs of one thing differ by at most 83 %. CPU is the time on processors and memory what was resident at most, of all processes together.
All of it on tmpfs; 2 cores (CPU), 25 GB of memory, Linux 6.18.
slipway v1, dnf not installed.
`,
		"markdown": `| what | with | time | ratio | CPU | memory | size |
|---|---|---:|---:|---:|---:|---:|
| resolve | slipway lock | **120 ms** |  | 100 ms |  |  |
|  | dnf | dnf not installed |  |  |  |  |
| base | slipway build | **2.00 s** |  | 3.00 s | 300 MB | 400 MB |
|  | dnf, tar | 26.0 s | 13.0× | 40.0 s |  | 395 MB |

`,
	} {
		var out bytes.Buffer
		if err := formats[name](&out, r); err != nil {
			t.Fatal(err)
		}
		got := out.String()
		if name == "markdown" { // what follows is the same
			got = got[:min(len(got), len(want))]
		}
		if got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
		}
	}
}

// TestMemoryBelow starts a process that starts another: both count, this one does not.
func TestMemoryBelow(t *testing.T) {
	watch := watchMemory()
	cmd := exec.Command("sh", "-c", "sleep 0.5; exit 0")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	one, all := resident(cmd.Process.Pid), memoryBelow(os.Getpid())
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if one == 0 || all <= one {
		t.Errorf("the shell takes %d bytes, and all together %d", one, all)
	}
	if peak := watch.stop(); peak < all {
		t.Errorf("the peak is %d, and %d were seen", peak, all)
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		list []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{4, 1}, 2.5}, {[]float64{9, 1, 2}, 2}} {
		if got := median(tt.list); got != tt.want {
			t.Errorf("median of %v is %v, want %v", tt.list, got, tt.want)
		}
	}
}

// TestPublish makes updates of a package and looks at what changed.
func TestPublish(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "old.rpm")
	needs := rpm.Dependency{Name: "python3", Sense: rpm.Greater | rpm.Equal, EVR: rpm.EVR{Version: "3.11"}}
	config := rpmwrite.Text("/etc/flask.conf", "x=1\n")
	config.Flags, config.ModTime = rpm.FileConfig, 1000
	err := rpmwrite.WriteFile(file, rpmwrite.Spec{
		Name: updated, EVR: rpm.EVR{Version: "2.2", Release: "1"}, Arch: "noarch", Summary: "Web", License: "MIT", BuildTime: 5000,
		Requires: []rpm.Dependency{needs}, Files: []rpmwrite.File{rpmwrite.Dir("/etc/flask"), config, rpmwrite.Symlink("/etc/f", "flask")},
		Scripts: []rpm.Script{{Kind: rpm.ScriptPost, Program: []string{"/bin/sh"}, Body: "exit 0"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	u, err := newUpdates(filepath.Join(dir, "updates"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := u.publish(file); err != nil {
			t.Fatal(err)
		}
	}
	before, after := opened(t, file), opened(t, filepath.Join(u.dir, "Packages", updated+".rpm"))
	if got := after.NEVRA().String(); got != updated+"-2.2-1.2.noarch" {
		t.Errorf("the second update is %s", got)
	}
	if got, want := len(after.Provides()), len(before.Provides()); got != want {
		t.Errorf("it provides %v, the old one %v", after.Provides(), before.Provides())
	}
	if got, want := after.Requires(), before.Requires(); len(got) != len(want) || !slices.Contains(got, needs) {
		t.Errorf("it requires %v, the old one %v", got, want)
	}
	old, err := before.Files()
	if err != nil {
		t.Fatal(err)
	}
	files, err := after.Files()
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		if f.Path != old[i].Path || f.Digest != old[i].Digest || f.Flags != old[i].Flags || f.ModTime != old[i].ModTime+2*3600 {
			t.Errorf("%+v was %+v", f, old[i])
		}
	}
	keys, err := rpm.ParseKeys(u.signer.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := after.Verify(keys); err != nil {
		t.Error(err)
	}
}

func opened(t *testing.T, file string) *rpm.Package {
	t.Helper()
	p, err := rpm.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}
