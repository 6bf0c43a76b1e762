package s2i

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/image/unpack"
	"github.com/slipway-build/slipway/internal/sandbox"
)

// Image is an image of any origin.
type Image = v1.Image

// Request is what is built.
type Request struct {
	// Builder is the builder image, Name what it is called in the result.
	Builder v1.Image
	Name    string
	// Source is a folder.
	Source string
	// Previous is an image that was built so before, for save-artifacts. Nil: the build begins anew.
	Previous v1.Image
	// ScriptsURL is where scripts are looked for first. Empty: nowhere.
	ScriptsURL string
	// User runs assemble in place of the builder's own.
	User string
	// AllowRoot lets assemble run as root.
	AllowRoot bool
	// Env are further variables, NAME=VALUE, over those of .s2i/environment.
	Env []string
	// Created is the date of the image.
	Created time.Time
	// Time is how long a script may run. Zero: ten minutes.
	Time time.Duration
	// Output hears what scripts write. Nil: nobody does.
	Output io.Writer
}

// RootError says that assemble would run as root.
type RootError struct{ User string }

func (e *RootError) Error() string {
	return fmt.Sprintf("the builder's assemble would run as root (%q), which is not allowed: name another user (--assemble-user), or allow it (--allow-root)", e.User)
}

// ScriptError is a script that failed or ran too long.
type ScriptError struct {
	Script, Output string
	Err            error
}

func (e *ScriptError) Error() string {
	text := fmt.Sprintf("%s of the builder: %v", e.Script, e.Err)
	if e.Output != "" {
		text += "; it wrote:\n  " + strings.ReplaceAll(e.Output, "\n", "\n  ")
	}
	return text
}

func (e *ScriptError) Unwrap() error { return e.Err }

// Limits of a script.
const (
	usualTime    = 10 * time.Minute
	maxMemory    = 4 << 30
	maxProcesses = 1024
	maxOutput    = 16 << 20
	maxArtifacts = 8 << 30
)

// work is one build under way.
type work struct {
	Request
	images   *image.Builder
	contract contract
	config   v1.Config
	sources  *sources
	dir      string // scratch
	cleanup  func() // removes it
	lower    []string
	scripts  scripts
	user     sandboxUser
}

type sandboxUser struct {
	name     string
	uid, gid int
}

// Build makes the image.
func Build(ctx context.Context, images *image.Builder, r Request) (_ *image.Image, err error) {
	w, err := open(ctx, images, r)
	if err != nil {
		return nil, fmt.Errorf("source-to-image: %w", err)
	}
	defer func() { err = errors.Join(err, w.close()) }()
	img, err := w.build(ctx)
	if err != nil {
		return nil, fmt.Errorf("source-to-image: %w", err)
	}
	return img, nil
}

func open(ctx context.Context, images *image.Builder, r Request) (_ *work, err error) {
	config, err := r.Builder.ConfigFile()
	if err != nil {
		return nil, err
	}
	w := &work{Request: r, images: images, config: config.Config}
	if w.contract, err = readContract(config.Config); err != nil {
		return nil, err
	}
	w.user.name = cmp.Or(r.User, w.contract.user)
	if isRoot(w.user.name) && !r.AllowRoot {
		return nil, &RootError{w.user.name}
	}
	if w.sources, err = openSources(r.Source); err != nil {
		return nil, err
	}
	if w.dir, w.cleanup, err = images.Cache.Temp("s2i-"); err != nil {
		return nil, errors.Join(err, w.sources.root.Close())
	}
	fail := func(err error) (*work, error) { return nil, errors.Join(err, w.close()) }
	if w.lower, err = images.Unpack(ctx, r.Builder); err != nil {
		return fail(err)
	}
	if w.scripts, err = w.findScripts(ctx); err != nil {
		return fail(err)
	}
	if err := w.who(ctx); err != nil {
		return fail(err)
	}
	return w, nil
}

func (w *work) close() error {
	w.cleanup()
	return w.sources.root.Close()
}

// who asks the image for the number of assemble's user, who shall own the sources.
func (w *work) who(ctx context.Context) error {
	if isRoot(w.user.name) {
		return nil
	}
	name, _, _ := strings.Cut(w.user.name, ":")
	if n, err := strconv.Atoi(name); err == nil {
		w.user.uid = n
		return nil
	}
	var out bytes.Buffer
	_, err := sandbox.Run(ctx, sandbox.Spec{Lower: w.lower, ReadOnly: true, User: w.user.name, Args: []string{"/bin/sh", "-c", "id -u; id -g"}, Stdout: &out, Limits: w.limits()})
	if err != nil {
		return fmt.Errorf("looking for user %s in the builder: %w", w.user.name, err)
	}
	if _, err := fmt.Sscan(out.String(), &w.user.uid, &w.user.gid); err != nil {
		return fmt.Errorf("looking for user %s in the builder: it answered %q", w.user.name, out.String())
	}
	return nil
}

func (w *work) limits() sandbox.Limits {
	return sandbox.Limits{Time: cmp.Or(w.Time, usualTime), Memory: maxMemory, Processes: maxProcesses, Output: maxOutput}
}

func (w *work) build(ctx context.Context) (*image.Image, error) {
	if !w.scripts.has("assemble") || !w.scripts.has("run") {
		return nil, fmt.Errorf("there is no assemble and run: neither in %s of the sources nor at %s of the builder (label %s)", scriptsFolder, cmp.Or(w.contract.scripts, "any place"), labelScripts)
	}
	src, artifacts := filepath.Join(w.dir, "src"), filepath.Join(w.dir, "artifacts")
	for _, dir := range []string{src, artifacts} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
	}
	if err := w.sources.copyTo(src, w.user.uid, w.user.gid); err != nil {
		return nil, err
	}
	if w.Previous != nil {
		if err := w.saveArtifacts(ctx, artifacts); err != nil {
			return nil, err
		}
	}
	key, err := w.key(src, artifacts)
	if err != nil {
		return nil, err
	}
	upper := filepath.Join(w.dir, "upper")
	spec := w.spec(w.scripts.path("assemble", w.contract.destination), w.mounts(src, artifacts))
	spec.Upper = upper
	if err := w.run(ctx, "assemble", spec, nil); err != nil {
		return nil, err
	}
	if err := w.scripts.keep(upper); err != nil {
		return nil, err
	}
	on, err := w.images.Adopt(ctx, image.AdoptSpec{Image: w.Builder, Created: w.Created})
	if err != nil {
		return nil, err
	}
	return w.images.Changed(ctx, image.ChangedSpec{
		On: on, Lower: w.lower, Upper: upper, Key: key, Created: w.Created, By: "assemble", Config: w.configure,
	})
}

// configure is the run-time configuration of the result.
func (w *work) configure(c *v1.Config) {
	c.Env = mergeEnv(c.Env, w.sources.env, w.Env)
	c.Cmd = []string{w.scripts.kept("run")}
	if c.Labels == nil {
		c.Labels = map[string]string{}
	}
	c.Labels[labelBuiltBy] = w.Name
	if w.scripts.brought() {
		c.Labels[labelScripts] = "image://" + keptScripts
	}
}

func (w *work) mounts(src, artifacts string) []sandbox.Mount {
	at := w.contract.destination
	list := []sandbox.Mount{{Source: src, Target: path.Join(at, "src")}, {Source: artifacts, Target: path.Join(at, "artifacts")}}
	return append(list, w.scripts.mounts(at)...)
}

// spec runs a script as assemble's user.
func (w *work) spec(program string, mounts []sandbox.Mount) sandbox.Spec {
	return sandbox.Spec{
		Lower: w.lower, Mounts: mounts, Args: []string{program}, User: cmp.Or(w.user.name, "0"), Dir: w.config.WorkingDir,
		Env: mergeEnv(w.config.Env, w.sources.env, append(w.Env, fmt.Sprintf("SOURCE_DATE_EPOCH=%d", w.Created.Unix()))), Limits: w.limits(),
	}
}

// run runs a script. Its standard output goes to out, or with the rest to Output where that is nil.
func (w *work) run(ctx context.Context, name string, spec sandbox.Spec, out io.Writer) error {
	var said bytes.Buffer
	var both io.Writer = &said
	if w.Output != nil {
		both = io.MultiWriter(&said, w.Output)
	}
	spec.Stdout, spec.Stderr = both, both
	if out != nil {
		spec.Stdout = out
	}
	_, err := sandbox.Run(ctx, spec)
	if err == nil || ctx.Err() != nil {
		return err
	}
	text := strings.TrimSpace(said.String())
	return &ScriptError{Script: name, Output: text[max(0, len(text)-4096):], Err: err}
}

// saveArtifacts has the image before give what the next build can use, as a tar stream, and unpacks that.
// Without such a script there is nothing to use.
func (w *work) saveArtifacts(ctx context.Context, to string) error {
	config, err := w.Previous.ConfigFile()
	if err != nil {
		return err
	}
	before := *w
	before.config = config.Config
	if before.contract, err = readContract(config.Config); err != nil {
		return err
	}
	if before.lower, err = w.images.Unpack(ctx, w.Previous); err != nil {
		return err
	}
	if before.scripts, err = before.findScripts(ctx); err != nil {
		return err
	}
	if !before.scripts.has("save-artifacts") {
		return nil
	}
	file, err := os.Create(filepath.Join(w.dir, "artifacts.tar"))
	if err != nil {
		return err
	}
	defer file.Close()
	at := before.contract.destination
	spec := before.spec(before.scripts.path("save-artifacts", at), before.scripts.mounts(at))
	spec.ReadOnly, spec.Limits.Output = true, maxArtifacts
	if err := before.run(ctx, "save-artifacts", spec, file); err != nil {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := unpack.Extract(ctx, file, to, unpack.Limits{Entries: maxSourceFiles, Bytes: maxArtifacts}); err != nil {
		return fmt.Errorf("unpacking what save-artifacts gave: %w", err)
	}
	return fs.WalkDir(os.DirFS(to), ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return own(filepath.Join(to, name), w.user.uid, w.user.gid)
	})
}

// key identifies what goes into the image.
func (w *work) key(dirs ...string) (string, error) {
	digest, err := w.Builder.Digest()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "s2i/1 %s %q %q %q %d\n", digest, w.user.name, w.sources.env, w.Env, w.Created.Unix())
	if w.scripts.folder != "" {
		dirs = append(dirs, w.scripts.folder)
	}
	for _, dir := range dirs {
		fmt.Fprintf(h, "folder\n")
		err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			fmt.Fprintf(h, "%q %v", name, info.Mode())
			switch {
			case info.Mode()&fs.ModeSymlink != 0:
				target, err := os.Readlink(filepath.Join(dir, name))
				fmt.Fprintf(h, " %q\n", target)
				return err
			case info.Mode().IsRegular():
				f, err := os.Open(filepath.Join(dir, name))
				if err != nil {
					return err
				}
				defer f.Close()
				sum := sha256.New()
				_, err = io.Copy(sum, f)
				fmt.Fprintf(h, " %x", sum.Sum(nil))
				if err != nil {
					return err
				}
			}
			fmt.Fprintln(h)
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// mergeEnv puts lists of NAME=VALUE over each other; names keep their first place.
func mergeEnv(lists ...[]string) []string {
	var out []string
	at := map[string]int{}
	for _, list := range lists {
		for _, v := range list {
			name, _, _ := strings.Cut(v, "=")
			if i, ok := at[name]; ok {
				out[i] = v
				continue
			}
			at[name] = len(out)
			out = append(out, v)
		}
	}
	return out
}

// Usage has the builder say how it is used: its script of that name, to Output.
func Usage(ctx context.Context, images *image.Builder, r Request) (err error) {
	w, err := open(ctx, images, r)
	if err != nil {
		return fmt.Errorf("source-to-image: %w", err)
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if !w.scripts.has("usage") {
		return fmt.Errorf("source-to-image: the builder has no script usage")
	}
	at := w.contract.destination
	spec := w.spec(w.scripts.path("usage", at), w.scripts.mounts(at))
	spec.ReadOnly = true
	return w.run(ctx, "usage", spec, nil)
}
