package rpmrepo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/progress"
	"github.com/slipway-build/slipway/internal/rpmrepo/transfer"
)

// Client reaches repositories. Cache is needed; every other field may be zero. A Client is safe for
// concurrent use, must not be copied, and its fields must not change once it is used.
type Client struct {
	Cache *cache.Dir
	// Transport carries HTTP. Nil means one of our own, which takes the proxy from the environment.
	// A repository that sets a proxy or certificates needs nil or a *http.Transport, of which it
	// gets a copy.
	Transport http.RoundTripper
	Progress  progress.Reporter
	Log       *slog.Logger
	// Offline forbids the network: what is not in the cache is an *OfflineError. Files and
	// file:// URLs are still read.
	Offline bool
	// Blobs opens what artifacts have in registries (transfer.BlobPlace in Artifact.Also); nil: nothing.
	Blobs transfer.Blobs
	// Version is what the User-Agent says: slipway/<version>. Empty means "dev".
	Version string
	// Parallel is how many packages Fetch brings at the same time; 0 means 4.
	Parallel int
	// Stall is how long a server may send nothing before it is left; 0 means 30 seconds.
	Stall time.Duration
	// Attempts is how often each mirror is tried when errors are such that may pass; 0 means 4.
	Attempts int

	mu    sync.Mutex
	sites map[string]*site
	own   http.RoundTripper
}

// transport gives the transport that sites are built on. It is called with mu held.
func (c *Client) transport() http.RoundTripper {
	if c.Transport != nil {
		return c.Transport
	}
	if c.own == nil {
		c.own = http.DefaultTransport
		if t, ok := http.DefaultTransport.(*http.Transport); ok {
			// All downloads from one host keep their connections.
			t = t.Clone()
			t.MaxIdleConnsPerHost = c.parallel()
			c.own = t
		}
	}
	return c.own
}

// Load reads a repository: repomd.xml, checked as the configuration asks, then the index of
// primary.xml, made if the cache has none. repomd.xml is always asked for anew, unless the client is
// offline; everything else is taken from the cache where it is there.
//
// A repository that is changed while it is read is read once more; see ChangedError.
func (c *Client) Load(ctx context.Context, config Config) (*Repository, error) {
	s, err := c.site(config)
	if err != nil {
		return nil, err
	}
	first, err := s.load(ctx, config, "")
	if err == nil || !isStale(err) {
		return first, s.explain(err)
	}
	c.debug(ctx, "repository may have changed", "repository", config.ID, "error", err)
	seen := ""
	if stale, ok := errors.AsType[*staleError](err); ok {
		seen = stale.repomd
	}
	second, err := s.load(ctx, config, seen)
	if err != nil && isStale(err) {
		stale, _ := errors.AsType[*staleError](err)
		if stale.repomd != seen {
			return nil, &ChangedError{Repository: config.ID, Cause: stale.cause}
		}
		err = stale.cause
	}
	return second, s.explain(err)
}

func (s *site) explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("loading repository %s: %w", s.config.ID, err)
}

func (c *Client) debug(ctx context.Context, msg string, args ...any) {
	if c.Log != nil {
		c.Log.DebugContext(ctx, msg, args...)
	}
}
