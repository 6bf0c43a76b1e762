package wheel

import (
	"archive/zip"
	"bytes"
	"context"
	_ "embed" // the canaries
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/wheel/native"
)

// writeNative makes the wheel without running anything of the project, if it can; the reason why not is for the log. A
// project that its backend is too old for is a [*BuildError].
func (r Request) writeNative(ctx context.Context, c *cache.Dir, system backend, dir string) (done bool, why string, err error) {
	env, err := probeEnvironment(ctx, r.Root, c)
	if err != nil {
		return false, "", err
	}
	w, err := native.Write(native.Project{
		Tree: r.Tree, Backend: system.name, BackendPath: system.path, Requires: system.requires, Name: r.Project, Version: r.Version,
	}, env)
	var unsupported *native.UnsupportedError
	var tooOld *native.TooOldError
	switch {
	case errors.As(err, &unsupported):
		return false, unsupported.Reason, nil
	case errors.As(err, &tooOld):
		return false, "", &BuildError{Project: r.Project, Err: err}
	case err != nil:
		return false, "", err
	}
	if why, err := r.proven(ctx, c, system, env); why != "" || err != nil {
		return false, why, err
	}
	r.log().Debug("wheel is written natively", "project", r.Project, "as", w.Backend)
	return true, "", writeWheel(filepath.Join(dir, w.Filename), w, r.Epoch)
}

// probeEnvironment asks the Python of root what is installed. The answer is cached by root.Key and root.Python.
func probeEnvironment(ctx context.Context, root Root, c *cache.Dir) (native.Environment, error) {
	key := cache.Key("environment", hash(native.Probe), root.Key, root.python())
	file, _, err := c.File(ctx, "environment", key, func(w io.Writer) error {
		out, err := ask(ctx, root, native.Probe)
		if err != nil {
			return err
		}
		if _, err := native.ParseEnvironment(out); err != nil {
			return err
		}
		_, err = w.Write(out)
		return err
	})
	if err != nil {
		return native.Environment{}, fmt.Errorf("asking %s what is installed: %w", root.python(), err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return native.Environment{}, fmt.Errorf("reading what %s has installed: %w", root.python(), err)
	}
	return native.ParseEnvironment(data)
}

// canaries are small projects, by backend, that have something of everything.
//
//go:embed canaries.txtar
var canaries []byte

// canary is the project for a backend.
func canary(name string) fs.FS {
	prefix, _, _ := strings.Cut(name, ".")
	all := txtar.Parse(canaries)
	all.Files = slices.DeleteFunc(all.Files, func(f txtar.File) bool { return !strings.HasPrefix(f.Name, prefix+"/") })
	tree, err := txtar.FS(all)
	if err == nil {
		tree, err = fs.Sub(tree, prefix)
	}
	if err != nil {
		panic(err) // it is part of the program
	}
	return tree
}

// proven has the build root's own backend make the wheel of a small project, once for each root, and compares: distributions
// patch backends, which their versions do not tell. Where the wheels differ, why says in what, and the backend has to run.
func (r Request) proven(ctx context.Context, c *cache.Dir, system backend, env native.Environment) (why string, err error) {
	small := r
	small.Project, small.Version, small.Tree, small.Limits = "slipway-canary", "", canary(system.name), Limits{}.withDefaults()
	built, err := findBackend(small.Tree)
	if err != nil {
		return "", err
	}
	key := cache.Key("proof", hash(hook), hash(string(canaries)), r.Root.Key, r.Root.python(), built.name)
	file, _, err := c.File(ctx, "proof", key, func(w io.Writer) error {
		ours, err := native.Write(native.Project{Tree: small.Tree, Backend: built.name, Requires: built.requires, Name: small.Project}, env)
		if err != nil {
			_, err = fmt.Fprint(w, "its backend is not known well enough: ", err)
			return err
		}
		dir, cleanup, err := c.Temp("proof")
		if err != nil {
			return err
		}
		defer cleanup()
		small.Epoch = 0
		if err := small.build(ctx, c, built, dir); err != nil {
			var fault *BuildError
			if !errors.As(err, &fault) {
				return err
			}
			_, err = fmt.Fprint(w, "its backend does not build the project that it is tried with")
			return err
		}
		theirs, err := openOnly(dir)
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, difference(ours, theirs))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("trying the build backend %s: %w", built.name, err)
	}
	reason, err := os.ReadFile(file)
	return string(reason), err
}

// difference says in what a backend's wheel is another than ours; "" where it is the same.
func difference(ours *native.Wheel, theirs *Wheel) string {
	const patched = "the build root's backend is patched: "
	if ours.Filename != filepath.Base(theirs.Path) {
		return patched + "it calls its wheels otherwise"
	}
	for _, f := range ours.Files {
		m := theirs.find(f.Name)
		if m == nil || m.exec != f.Exec || !bytes.Equal(m.content, f.Content) {
			return patched + "it writes another " + f.Name
		}
	}
	if len(theirs.members) != len(ours.Files)+1 {
		return patched + "its wheels have more files"
	}
	return ""
}

// writeWheel writes a wheel with its RECORD.
func writeWheel(to string, w *native.Wheel, epoch int64) error {
	var rows []recordRow
	files := slices.Clone(w.Files)
	for _, f := range files {
		rows = append(rows, rowOf(f.Name, f.Content))
	}
	rows = append(rows, recordRow{path: w.Info + "/RECORD"})
	files = append(files, native.File{Name: w.Info + "/RECORD", Content: formatRecord(rows)})
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.Name, Method: zip.Store, Modified: time.Unix(epoch, 0).UTC()}
		header.SetMode(0o644)
		if f.Exec {
			header.SetMode(0o755)
		}
		part, err := archive.CreateHeader(header)
		if err == nil {
			_, err = part.Write(f.Content)
		}
		if err != nil {
			return fmt.Errorf("writing wheel: %w", err)
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("writing wheel: %w", err)
	}
	if err := os.WriteFile(to, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing wheel: %w", err)
	}
	_, err := Open(to)
	return err
}
