package wheel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/slipway-build/slipway/internal/cache"
)

// maxMetadata bounds a METADATA file, in bytes.
const maxMetadata = 4 << 20

// Metadata returns the core metadata that the project's wheel has or would have, as the backend makes it: by
// prepare_metadata_for_build_wheel (PEP 517), or by building the wheel where the backend lacks that hook. Like a wheel
// it is made in the sandbox and kept by what went in. Nothing about it is checked but its size. What is the project's
// fault, or that of the build root, is a [*BuildError].
func Metadata(ctx context.Context, r Request, c *cache.Dir) ([]byte, error) {
	system, s, err := r.prepare()
	if err != nil {
		return nil, err
	}
	key := cache.Key("metadata", hash(hook), s.key, r.Root.Key, r.Root.python(), r.Project, r.Version, strconv.FormatInt(r.Epoch, 10))
	dir, _, err := c.Tree(ctx, "metadata", key, func(dir string) error {
		r.log().Debug("the backend is asked for the metadata", "project", r.Project)
		return r.ask(ctx, c, system, true, func(reader io.Reader, said answer) error {
			if said.Size > maxMetadata {
				return fmt.Errorf("its metadata is larger than %d MiB", maxMetadata>>20)
			}
			data, err := io.ReadAll(io.LimitReader(reader, said.Size))
			if err == nil && int64(len(data)) != said.Size {
				err = fmt.Errorf("the metadata came with %d bytes instead of %d", len(data), said.Size)
			}
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "METADATA"), data, 0o644)
		})
	})
	var fault *BuildError
	switch {
	case errors.As(err, &fault):
		return nil, fault
	case err != nil:
		return nil, fmt.Errorf("asking for the metadata of %s: %w", r.Project, err)
	}
	return os.ReadFile(filepath.Join(dir, "METADATA"))
}
