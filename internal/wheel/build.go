package wheel

import (
	"bufio"
	"context"
	"crypto/sha256"
	_ "embed" // the hook
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/requirement/pymeta"
	"github.com/slipway-build/slipway/internal/sandbox"
	"github.com/slipway-build/slipway/internal/wheel/native"
)

//go:embed hook.py
var hook string

// Where a project is built inside the sandbox. Backends write these paths into what they compile, so they never change.
const (
	buildDir   = "/build"
	sourceDir  = buildDir + "/src"
	outputDir  = buildDir + "/out"
	trackedDir = buildDir + "/tracked"
)

// Build returns the project's wheel, built now or taken from the cache. What is the project's fault, or that of the build
// root, is a [*BuildError].
func Build(ctx context.Context, r Request, c *cache.Dir) (*Wheel, error) {
	system, s, err := r.prepare()
	if err != nil {
		return nil, err
	}
	key := cache.Key("wheel", hash(hook), native.Edition, s.key, r.Root.Key, r.Root.python(), r.Project, r.Version, strconv.FormatBool(r.RunBackend), strconv.FormatInt(r.Epoch, 10))
	dir, _, err := c.Tree(ctx, "wheel", key, func(dir string) error { return r.make(ctx, c, system, s, key, dir) })
	if err != nil {
		var fault *BuildError
		if errors.As(err, &fault) {
			return nil, fault // the cache's own words do not help here
		}
		return nil, fmt.Errorf("building the wheel of %s: %w", r.Project, err)
	}
	return openOnly(dir)
}

// prepare checks the request, fills in its limits, and reads what decides about the project's build.
func (r *Request) prepare() (backend, survey, error) {
	if r.Root.Key == "" || len(r.Root.Lowers) == 0 {
		return backend{}, survey{}, fmt.Errorf("building %s: the build root has no key or no layers", r.Project)
	}
	r.Limits = r.Limits.withDefaults()
	system, err := findBackend(r.Tree)
	if err != nil {
		return backend{}, survey{}, &BuildError{Project: r.Project, Err: err}
	}
	s, err := takeSurvey(r.Tree, r.Limits.Source)
	if err != nil {
		return backend{}, survey{}, &BuildError{Project: r.Project, Err: err}
	}
	return system, s, nil
}

// make puts the wheel into dir: one that is written natively, an earlier one with what has changed since, or what the
// backend makes.
func (r Request) make(ctx context.Context, c *cache.Dir, system backend, s survey, key, dir string) error {
	why := "as asked for"
	if !r.RunBackend {
		done, reason, err := r.writeNative(ctx, c, system, dir)
		if done || err != nil {
			return err
		}
		why = reason
	}
	plain, changes := copiesModules(r.Tree, system)
	if plain {
		done, reason, err := r.update(ctx, c, s, dir)
		if done || err != nil {
			r.log().Debug("wheel is an earlier one with new modules", "project", r.Project, "not native", why)
			return err
		}
		changes = reason
	}
	r.log().Debug("wheel is built by its backend", "project", r.Project, "not native", why, "not from an earlier one", changes)
	if err := r.build(ctx, c, system, dir); err != nil || !plain {
		return err
	}
	return r.remember(ctx, c, s, key)
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// openOnly opens the one wheel in a folder.
func openOnly(dir string) (*Wheel, error) {
	found, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("%s holds %d wheels instead of one", dir, len(found))
	}
	return Open(found[0])
}

// build runs the backend and puts a checked wheel into dir.
func (r Request) build(ctx context.Context, c *cache.Dir, system backend, dir string) error {
	return r.ask(ctx, c, system, false, func(reader io.Reader, said answer) error {
		return save(reader, said, dir, r.Limits.Wheel)
	})
}

// ask runs the backend, for the wheel or for its metadata alone, and gives take what it sends. What the project or the
// build root is to blame for is a *BuildError.
func (r Request) ask(ctx context.Context, c *cache.Dir, system backend, metadata bool, take func(io.Reader, answer) error) error {
	scratch, cleanup, err := c.Temp("wheel")
	if err != nil {
		return err
	}
	defer cleanup()
	out, err := os.Create(filepath.Join(scratch, "answer"))
	if err != nil {
		return err
	}
	defer out.Close()

	output := &tail{project: r.Project, log: r.Log}
	runErr := r.run(ctx, system, metadata, out, output)
	var exit *sandbox.ExitError
	if runErr != nil && !errors.As(runErr, &exit) || errors.Is(runErr, context.Canceled) || errors.Is(runErr, context.DeadlineExceeded) {
		return runErr
	}
	fail := func(err error) error { return &BuildError{Project: r.Project, Output: output.last(), Err: err} }

	if _, err := out.Seek(0, io.SeekStart); err != nil {
		return err
	}
	reader := bufio.NewReader(out)
	said, err := readAnswer(reader)
	if err == nil {
		if missing := said.missing(system.origin); len(missing) > 0 {
			return &BuildError{Project: r.Project, Missing: missing, Output: output.last(), Err: runErr}
		}
	}
	switch {
	case runErr != nil:
		return fail(runErr)
	case err != nil:
		return fail(err)
	case said.Wheel == "":
		return fail(errors.New("the backend ended without a wheel"))
	}
	if err := take(reader, said); err != nil {
		return fail(err)
	}
	return nil
}

// save writes the wheel that the hook sent into dir, and checks it.
func save(r io.Reader, said answer, dir string, limit int64) error {
	if _, err := parseFilename(said.Wheel); err != nil {
		return err
	}
	if said.Size > limit {
		return fmt.Errorf("its wheel is larger than %d MiB", limit>>20)
	}
	path := filepath.Join(dir, said.Wheel)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(r, said.Size+1))
	if err == nil && n != said.Size {
		err = fmt.Errorf("the wheel came with %d bytes instead of %d", n, said.Size)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	_, err = Open(path)
	return err
}

// run runs the hook. The project's files go in through standard input and the wheel comes out of standard output, so that
// nothing of the host is writable inside, and what a project writes is bounded by the sandbox's own memory.
func (r Request) run(ctx context.Context, system backend, metadata bool, out io.Writer, output *tail) error {
	order, err := json.Marshal(map[string]any{
		"source": sourceDir, "output": outputDir, "tracked": trackedDir, "backend": system.name,
		"path": orEmpty(system.path), "requires": orEmpty(system.requires), "metadata": metadata,
	})
	if err != nil {
		return err
	}
	source, writer := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := writeTar(writer, r.Tree, r.Epoch, r.Limits.Source)
		writer.CloseWithError(err)
		written <- err
	}()
	_, err = sandbox.Run(ctx, sandbox.Spec{
		Lower:    r.Root.Lowers,
		ReadOnly: true,
		Mounts:   []sandbox.Mount{{Target: buildDir}},
		Args:     []string{r.Root.python(), "-c", hook, string(order)},
		Env:      r.environment(),
		Hostname: "build",
		Stdin:    source,
		Stdout:   out,
		Stderr:   output,
		Network:  sandbox.NetworkNone,
		Limits: sandbox.Limits{
			Memory: r.Limits.Memory, Processes: r.Limits.Processes, Time: r.Limits.Time,
			Disk: r.Limits.Disk, Output: r.Limits.Wheel + maxLog,
		},
	})
	source.CloseWithError(errEnded)
	if sourceErr := <-written; sourceErr != nil && !errors.Is(sourceErr, errEnded) {
		return sourceErr
	}
	return err
}

// maxLog bounds what a backend may print, in bytes; only its end is kept.
const maxLog = 64 << 20

var errEnded = errors.New("the backend ended")

func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// environment is all that a backend sees of the outside.
func (r Request) environment() []string {
	env := []string{
		"HOME=/tmp",
		"LANG=C.UTF-8",
		"LC_ALL=C.UTF-8",
		"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
		"PYTHONHASHSEED=0",
		"PYTHONNOUSERSITE=1",
		"SOURCE_DATE_EPOCH=" + strconv.FormatInt(r.Epoch, 10),
		"TZ=UTC",
	}
	if r.Version != "" {
		name := strings.ToUpper(strings.ReplaceAll(pymeta.NormalizeName(r.Project), "-", "_"))
		env = append(env,
			"PBR_VERSION="+r.Version,
			"SETUPTOOLS_SCM_PRETEND_VERSION="+r.Version,
			"SETUPTOOLS_SCM_PRETEND_VERSION_FOR_"+name+"="+r.Version,
		)
	}
	return env
}
