package image

import (
	"archive/tar"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/image/layer"
	"github.com/slipway-build/slipway/internal/image/script"
	"github.com/slipway-build/slipway/internal/sandbox"
)

// Step is a command that changes a final image. It runs as root, in /, with the image's environment.
type Step struct {
	// Name is what errors call it.
	Name string
	// Args are the program and its arguments.
	Args []string
	// Network lets it use this machine's network. What it does is then not part of the layer's key.
	Network bool
}

// StepError is a step that failed or could not be run.
type StepError struct {
	// Index counts from 0, in FinalSpec.Steps.
	Index int
	Step  Step
	Err   error
}

func (e *StepError) Error() string { return fmt.Sprintf("running %s: %v", e.Step.Name, e.Err) }

func (e *StepError) Unwrap() error { return e.Err }

// stepsFormat is part of the key of what steps changed.
const stepsFormat = "steps/1"

// onlyEnd is the size of an archive without entries: the two blocks that end it.
const onlyEnd = 1024

// stepsLayer runs the steps over the layers and makes a layer of what they changed. Without a change
// there is no layer.
func (b *Builder) stepsLayer(ctx context.Context, spec *FinalSpec, config *v1.ConfigFile, layers []*Layer) (*layer.Blob, error) {
	writable, err := spec.writable()
	if err != nil {
		return nil, err
	}
	epoch := config.Created.Unix()
	parts := []string{stepsFormat, config.Architecture, strconv.FormatInt(epoch, 10)}
	for _, list := range [][]string{diffIDs(layers), config.Config.Env, writable} {
		parts = append(parts, cache.Key(list...))
	}
	for _, s := range spec.Steps {
		parts = append(parts, cache.Key(append([]string{strconv.FormatBool(s.Network)}, s.Args...)...))
	}
	m := layer.Maker{Cache: b.Cache, Compression: cmp.Or(spec.Compression, layer.Gzip), Level: spec.Level}
	blob, err := m.Files(ctx, cache.Key(parts...), func(a *layer.Archive) error {
		changes, cleanup, err := b.runSteps(ctx, spec.Steps, config.Config.Env, epoch, layers)
		if err != nil {
			return err
		}
		defer cleanup()
		changes.Adjust(func(e *layer.Entry) { share(e, writable) })
		return changes.Write(a)
	})
	if err != nil || blob.TarSize == onlyEnd {
		return nil, err
	}
	return &blob, nil
}

func diffIDs(layers []*Layer) []string {
	ids := make([]string, len(layers))
	for i, l := range layers {
		ids[i] = l.blob.DiffID
	}
	return ids
}

// runSteps gives what the steps left; it may be read until cleanup.
func (b *Builder) runSteps(ctx context.Context, steps []Step, env []string, epoch int64, layers []*Layer) (_ *script.Changes, cleanup func(), err error) {
	blobs := make([]layer.Blob, len(layers))
	for i, l := range layers {
		blobs[i] = l.blob
	}
	lower, err := b.unpackBlobs(ctx, blobs)
	if err != nil {
		return nil, nil, err
	}
	scratch, remove, err := b.Cache.Temp("steps-")
	if err != nil {
		return nil, nil, err
	}
	upper := filepath.Join(scratch, "upper")
	changes, err := b.steps(ctx, steps, env, script.Runner{Lower: lower, Upper: upper, Epoch: epoch, Log: b.log()}, blobs)
	if err != nil {
		remove()
		return nil, nil, err
	}
	return changes, func() { changes.Close(); remove() }, nil
}

func (b *Builder) steps(ctx context.Context, steps []Step, env []string, r script.Runner, layers []layer.Blob) (*script.Changes, error) {
	if err := os.MkdirAll(r.Upper, 0o755); err != nil {
		return nil, err
	}
	for i, s := range steps {
		if err := r.Command(ctx, script.Command{Args: s.Args, Env: env, Network: s.Network}); err != nil {
			return nil, &StepError{Index: i, Step: s, Err: err}
		}
	}
	own, err := readOwners(layers)
	if err != nil {
		return nil, err
	}
	if err := own.check(r.Upper); err != nil {
		return nil, err
	}
	changes, err := script.Collect("", []string{r.Upper}, r.Lower, r.Epoch, own.of)
	if err != nil {
		return nil, fmt.Errorf("reading what its steps left: %w", err)
	}
	return changes, nil
}

// owners are the entries of layers that belong to others than root. A build by another user than
// root needs them, as its unpacked layers all belong to that user.
type owners map[string][2]int

func (o owners) of(name string) (uid, gid int, ok bool) {
	ids, ok := o[name]
	return ids[0], ids[1], ok
}

// readOwners reads the layers' entries, the lowest first; for root, none.
func readOwners(layers []layer.Blob) (owners, error) {
	if os.Geteuid() == 0 {
		return nil, nil
	}
	o := owners{}
	for i := range layers {
		if err := o.add(&layers[i]); err != nil {
			return nil, fmt.Errorf("reading the owners of a layer's files: %w", err)
		}
	}
	return o, nil
}

func (o owners) add(b *layer.Blob) error {
	r, err := b.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := path.Clean("/" + h.Name)
		delete(o, name)
		if h.Uid != 0 || h.Gid != 0 {
			o[name] = [2]int{h.Uid, h.Gid}
		}
	}
}

// check refuses what would get another owner than in a build by root: there a file that is made anew
// is root's, and one that is only written to stays its owner's, which cannot be told apart here.
func (o owners) check(upper string) error {
	if len(o) == 0 {
		return nil
	}
	changes, err := sandbox.Changes(upper)
	if err != nil {
		return err
	}
	for _, c := range changes {
		name := "/" + c.Path
		ids, foreign := o[name]
		if !foreign || c.Kind == sandbox.Removed || c.Kind == sandbox.Written && c.Info.IsDir() {
			continue
		}
		return fmt.Errorf("a step changed %s, which belongs to %d:%d: only a build by root can keep that", name, ids[0], ids[1])
	}
	return nil
}
