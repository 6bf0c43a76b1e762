package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slipway-build/slipway/internal/requirement/specfile/macroset"
)

//go:embed lua.macros
var luaMacros string

type options struct {
	dir     string
	release string
	macros  string // files, separated by colons
	text    string // what is in them, or the release's macros
	limit   int
	verbose bool
	unsafe  bool
	perl    string // version of the machine's perl
	kernel  string // release of its kernel
}

// result is the comparison of one spec.
type result struct {
	file    string
	class   string // "agree", "rpmspec refuses", or a class of difference
	dynamic bool   // the spec holds %( or Lua, which rpmspec runs and we do not
	detail  string
	took    time.Duration // ours
}

func run(ctx context.Context, o options, out io.Writer) error {
	if o.dir == "" {
		return errors.New("-specs names no folder")
	}
	specs, err := find(o.dir)
	if err != nil {
		return err
	}
	if o.limit > 0 && len(specs) > o.limit {
		specs = specs[:o.limit]
	}
	macros, cleanup, err := o.prepare()
	if err != nil {
		return err
	}
	defer cleanup()
	if out, err := exec.CommandContext(ctx, "perl", "-e", `printf "%vd", $^V`).Output(); err == nil {
		o.perl = string(out)
	}
	if out, err := exec.CommandContext(ctx, "uname", "-r").Output(); err == nil {
		o.kernel = strings.TrimSpace(string(out))
	}
	results := make([]result, len(specs))
	var group sync.WaitGroup
	work := make(chan int)
	for range runtime.NumCPU() {
		group.Go(func() {
			for i := range work {
				results[i] = compare(ctx, o, specs[i], macros)
			}
		})
	}
	for i := range specs {
		if ctx.Err() != nil {
			break
		}
		work <- i
	}
	close(work)
	group.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	report(out, o, results)
	return nil
}

// prepare returns the macro files that rpmspec shall load, and keeps their text for our side.
func (o *options) prepare() (files string, cleanup func(), err error) {
	cleanup = func() {}
	if o.macros != "" {
		for _, name := range strings.Split(o.macros, ":") {
			data, err := os.ReadFile(name)
			if err != nil {
				return "", cleanup, err
			}
			o.text += string(data) + "\n"
		}
		return o.macros, cleanup, nil
	}
	o.text = macroset.Text(macroset.Target{Release: o.release})
	f, err := os.CreateTemp("", "slipway-oracle-*.macros")
	if err != nil {
		return "", cleanup, err
	}
	cleanup = func() { os.Remove(f.Name()) }
	if _, err := io.WriteString(f, o.text+luaMacros); err != nil {
		return "", cleanup, err
	}
	return f.Name(), cleanup, f.Close()
}

func find(dir string) ([]string, error) {
	var specs []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasSuffix(path, ".spec") {
			specs = append(specs, path)
		}
		return err
	})
	return specs, err
}

// tally counts agreement among specs that rpmspec can parse.
type tally struct{ agree, total int }

func (t tally) String() string {
	if t.total == 0 {
		return "none"
	}
	return fmt.Sprintf("%d of %d (%.2f %%)", t.agree, t.total, 100*float64(t.agree)/float64(t.total))
}

func report(out io.Writer, o options, results []result) {
	var all, static tally
	var took time.Duration
	classes := map[string][]result{}
	for _, r := range results {
		took += r.took
		if r.class == refused {
			classes[refused] = append(classes[refused], r)
			continue
		}
		all.total++
		if !r.dynamic {
			static.total++
		}
		if r.class == agree {
			all.agree++
			if !r.dynamic {
				static.agree++
			}
			continue
		}
		classes[r.class] = append(classes[r.class], r)
	}
	fmt.Fprintf(out, "specs: %d, read in %v; refused by rpmspec: %d\n", len(results), took.Round(time.Millisecond), len(classes[refused]))
	fmt.Fprintf(out, "agreement: %s\n", all)
	fmt.Fprintf(out, "without specs that hold %%( or Lua: %s\n", static)
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		fmt.Fprintf(out, "%6d %s\n", len(classes[class]), class)
		for i, r := range classes[class] {
			if !o.verbose && (i >= 3 || class == refused) {
				break
			}
			fmt.Fprintf(out, "         %s\n%s", r.file, r.detail)
		}
	}
}
