package wheel

import (
	"context"
	"io/fs"
	"log/slog"

	"github.com/slipway-build/slipway/internal/cache"
)

// Request is one project to build.
type Request struct {
	Project string // the project's name, for messages and for SETUPTOOLS_SCM_PRETEND_VERSION_FOR_…
	Version string // what dynamic versions resolve to; "" leaves it to the backend
	Tree    fs.FS  // the project's files at the commit
	Epoch   int64  // SOURCE_DATE_EPOCH: the commit's time in seconds
	Root    Root   // where the backend runs
	Limits  Limits
	Log     *slog.Logger // hears the backend's output at debug level; nil discards
}

// Root is a root filesystem with a Python in it.
type Root struct {
	Lowers []string // directories of the layers, topmost first; never changed
	Key    string   // identifies their content in cache keys, for example the lock's digest of that root
	Python string   // absolute path inside; "" is /usr/bin/python3
}

// Limits bound a build. Zero fields are the defaults.
type Limits struct {
	Memory    int64 // bytes; default 2 GiB
	Processes int   // default 256
	Seconds   int   // default 600
	Disk      int64 // bytes written; default 2 GiB
	Tree      int64 // bytes of source; default 1 GiB
}

// Build returns the project's wheel, built now or taken from the cache. Errors that are the project's are *BuildError.
func Build(ctx context.Context, r Request, c *cache.Dir) (*Wheel, error) { panic("body follows") }
