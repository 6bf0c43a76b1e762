package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/slipway-build/slipway/internal/image/layer"
	"github.com/slipway-build/slipway/internal/image/unpack"
)

// unpackedKind is the cache's kind of unpacked layers, by diff id.
const unpackedKind = "unpacked"

// Unpack makes the layers of an image readable as folders, for a sandbox to run on: the paths of
// the unpacked layers, the topmost first. Each layer is unpacked once, under its diff id, which is
// checked. The folders are shared and must not be written to.
func (b *Builder) Unpack(ctx context.Context, img v1.Image) ([]string, error) {
	layers, err := img.Layers()
	if err != nil {
		return nil, fmt.Errorf("unpacking image: %w", err)
	}
	// A layer of a registry would have to be read to tell its diff id; the configuration has them.
	config, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("unpacking image: %w", err)
	}
	ids := config.RootFS.DiffIDs
	if len(ids) != len(layers) {
		return nil, fmt.Errorf("unpacking image: its configuration has %d diff ids for %d layers", len(ids), len(layers))
	}
	dirs, err := b.unpack(ctx, layers, ids)
	if err != nil {
		return nil, fmt.Errorf("unpacking image: %w", err)
	}
	return dirs, nil
}

func (b *Builder) unpackBlobs(ctx context.Context, blobs []layer.Blob) ([]string, error) {
	layers, ids := make([]v1.Layer, len(blobs)), make([]v1.Hash, len(blobs))
	for i := range blobs {
		layers[i], ids[i] = &Layer{blob: blobs[i]}, hash(blobs[i].DiffID)
	}
	return b.unpack(ctx, layers, ids)
}

// unpack gives the folders of layers with these diff ids, which come lowest first, topmost first.
func (b *Builder) unpack(ctx context.Context, layers []v1.Layer, ids []v1.Hash) ([]string, error) {
	dirs := make([]string, len(layers))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(b.workers())
	for i, l := range layers {
		g.Go(func() (err error) {
			dirs[i], err = b.unpackLayer(ctx, l, ids[i])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	slices.Reverse(dirs)
	return dirs, nil
}

func (b *Builder) unpackLayer(ctx context.Context, l v1.Layer, id v1.Hash) (string, error) {
	if id.Algorithm != "sha256" || len(id.Hex) != sha256.Size*2 {
		return "", fmt.Errorf("layer %s: its diff id is no sha256", id)
	}
	dir, _, err := b.Cache.Tree(ctx, unpackedKind, id.Hex, func(dir string) error {
		r, err := l.Compressed()
		if err != nil {
			return err
		}
		defer r.Close()
		z, err := layer.Reader(r)
		if err != nil {
			return err
		}
		defer z.Close()
		h := sha256.New()
		if err := extract(ctx, io.TeeReader(z, h), dir); err != nil {
			return err
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != id.Hex {
			return fmt.Errorf("its content is not that of its diff id, but of sha256:%s", got)
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("layer %s: %w", id, err)
	}
	return filepath.Join(dir, rootName), nil
}

// unpackedRoot finds the folder of an unpacked layer.
func (b *Builder) unpackedRoot(diffID string) (string, bool) {
	dir, ok := b.Cache.Path(unpackedKind, diffID)
	return filepath.Join(dir, rootName), ok
}

// rootName is the unpacked layer's folder within the cache's entry. It has the mode of the layer's
// root, and a folder that is not writable cannot be renamed, as the entry has to be.
const rootName = "root"

// maxPadding is how many bytes may follow the end of an archive.
const maxPadding = 1 << 20

// extract unpacks a tar stream into an entry of the cache and reads it to its end.
func extract(ctx context.Context, r io.Reader, entry string) error {
	root, err := makeRoot(entry)
	if err != nil {
		return err
	}
	if err := unpack.Extract(ctx, r, root, unpack.Limits{}); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(r, maxPadding))
	return err
}

// makeRoot makes the folder that an entry's layer is unpacked to.
func makeRoot(entry string) (string, error) {
	root := filepath.Join(entry, rootName)
	if err := os.Mkdir(root, 0o755); err != nil {
		return "", err
	}
	return root, os.Chmod(root, 0o755) // whatever the umask: it is the / of sandboxes
}

// unpackSink unpacks a layer while it is made, which saves decompressing it.
type unpackSink struct {
	*unpack.Extractor
	builder *Builder
	entry   string
	cleanup func()
}

func (b *Builder) unpackSink() (layer.Sink, error) {
	dir, cleanup, err := b.Cache.Temp("unpack-")
	if err != nil {
		return nil, err
	}
	s := &unpackSink{builder: b, entry: filepath.Join(dir, "layer"), cleanup: cleanup}
	if err := s.open(); err != nil {
		cleanup()
		return nil, err
	}
	return s, nil
}

func (s *unpackSink) open() error {
	if err := os.Mkdir(s.entry, 0o755); err != nil {
		return err
	}
	root, err := makeRoot(s.entry)
	if err != nil {
		return err
	}
	s.Extractor, err = unpack.New(root, unpack.Limits{})
	return err
}

// Finish puts the folder into the cache.
func (s *unpackSink) Finish(ctx context.Context, diffID string, broken error) error {
	defer s.cleanup()
	defer s.Close()
	if broken != nil {
		return nil
	}
	if err := s.Extractor.Finish(); err != nil {
		return err
	}
	_, _, err := s.builder.Cache.Tree(ctx, unpackedKind, diffID, func(dir string) error {
		if err := os.Remove(dir); err != nil {
			return err
		}
		return os.Rename(s.entry, dir)
	})
	return err
}
