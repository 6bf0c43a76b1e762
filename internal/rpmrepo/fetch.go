package rpmrepo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/progress"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo/repodata"
	"github.com/slipway-build/slipway/internal/rpmrepo/transfer"
)

// Artifact is a package to fetch.
type Artifact struct {
	// Config says where the repository is and how its packages are checked. Include, Exclude,
	// Priority and Cost are not looked at.
	Config Config
	// Location is the path below the base URL, as in Package.
	Location string
	// SHA256 is the lowercase hex checksum that the file must have; Size its size, 0 if unknown.
	SHA256 string
	Size   int64
	// Also are further places of the very same file, best first, that are asked after those of the
	// repository: URLs, paths, or what transfer.BlobPlace makes.
	Also []string
}

func (a *Artifact) name() string {
	return fmt.Sprintf("%s of repository %s", path.Base(a.Location), a.Config.ID)
}

const (
	// packageKind is the cache's name for packages, by sha256.
	packageKind = "rpm"
	// verifiedKind notes that a package's signature was verified, by package and keys.
	verifiedKind = "verified"

	bytesUnit       = progress.Bytes
	defaultParallel = 4
	maxPackageFile  = 16 << 30
)

func (c *Client) progress() progress.Reporter { return progress.Or(c.Progress) }

// Fetch brings packages and returns the paths of their files in the cache, in the order of the
// artifacts. A file is returned only when its size and sha256 are right, also of one that was in the
// cache and was touched since it was looked at, and, where the repository wants it (GPGCheck), its signature was made by one of the
// repository's keys. Files of this machine are copied, so that nobody changes what was checked. The
// first error ends all downloads; what was complete by then stays in the cache.
func (c *Client) Fetch(ctx context.Context, artifacts []Artifact) (paths []string, err error) {
	total, counted := int64(0), map[string]bool{}
	for i := range artifacts {
		a := &artifacts[i]
		if err := a.check(); err != nil {
			return nil, err
		}
		if _, there := c.Cache.Path(packageKind, a.SHA256); !there && !counted[a.SHA256] {
			counted[a.SHA256] = true
			total += a.Size
		}
	}
	task := c.progress().Start("downloading packages", total, bytesUnit)
	defer func() { task.Done(err) }()

	paths = make([]string, len(artifacts))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.parallel())
	for i := range artifacts {
		group.Go(func() (err error) {
			paths[i], err = c.fetch(ctx, &artifacts[i], task)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return paths, nil
}

func (c *Client) parallel() int {
	if c.Parallel > 0 {
		return c.Parallel
	}
	return defaultParallel
}

func (a *Artifact) check() error {
	if raw, err := hex.DecodeString(a.SHA256); err != nil || len(raw) != sha256.Size || hex.EncodeToString(raw) != a.SHA256 {
		return fmt.Errorf("fetching %s: %q is not a sha256 checksum", a.name(), a.SHA256)
	}
	if !strings.Contains(a.Location, "://") && !repodata.ValidLocation(a.Location) {
		return fmt.Errorf("fetching %s: %q is not a path inside of the repository", a.name(), a.Location)
	}
	return nil
}

// fetch brings one package.
func (c *Client) fetch(ctx context.Context, a *Artifact, task progress.Task) (string, error) {
	s, err := c.site(a.Config)
	if err != nil {
		return "", err
	}
	local, err := s.obtain(ctx, a, task)
	if err != nil || !a.Config.GPGCheck {
		return local, err
	}
	err = s.verify(ctx, path.Base(a.Location), func(k *keys) error {
		// What was verified with these keys once is verified.
		_, _, err := c.Cache.File(ctx, verifiedKind, cache.Key(a.SHA256, k.id), func(w io.Writer) error {
			return verifyPackage(local, k.ring, w)
		})
		return err
	})
	if err != nil {
		return "", err
	}
	return local, nil
}

// verifyPackage checks the signature of a package and notes who made it.
func verifyPackage(path string, ring rpm.Keyring, note io.Writer) error {
	p, err := rpm.Open(path)
	if err != nil {
		return err
	}
	defer p.Close()
	verified, err := p.Verify(ring)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(note, "%s\n", verified.Key.Fingerprint)
	return err
}

// obtain gives the path of a package that has the right checksum.
func (s *site) obtain(ctx context.Context, a *Artifact, task progress.Task) (string, error) {
	store := s.client.Cache
	for {
		path, hit, err := store.File(ctx, packageKind, a.SHA256, func(w io.Writer) error {
			return s.download(ctx, a, w, task)
		})
		if err != nil || !hit {
			return path, err
		}
		whole, err := s.client.intact(ctx, path, a)
		if err != nil || whole {
			return path, err
		}
		s.client.debug(ctx, "cached package is damaged and fetched anew", "file", path)
		if err := store.Remove(packageKind, a.SHA256); err != nil {
			return "", err
		}
	}
}

// intactKind notes that a file of the cache had the right checksum, by package and by what changes
// with whatever is done to the file.
const intactKind = "intact"

// intact says whether a file of the cache still is what it was. One that the file system says nobody
// has touched since it was looked at is not read again.
func (c *Client) intact(ctx context.Context, path string, a *Artifact) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("reading %s from the cache: %w", a.name(), err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, fmt.Errorf("reading %s from the cache: %w", a.name(), err)
	}
	key, settled := untouched(info, a.SHA256)
	if _, known := c.Cache.Path(intactKind, key); known && settled {
		return true, nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return false, fmt.Errorf("reading %s from the cache: %w", a.name(), err)
	}
	whole := hex.EncodeToString(h.Sum(nil)) == a.SHA256
	if whole && settled {
		_, _, err = c.Cache.Tree(ctx, intactKind, key, func(string) error { return nil }) // which waits for no disk
	}
	return whole, err
}

// untouched is a key that stays the same while nobody writes to a file, or puts another in its place.
// Times have a grain, so a file that was written just now may be written again in the same moment:
// then it is not settled. (Its other time, of which that is not asked, may be that of the cache noting
// a use.)
func untouched(info os.FileInfo, sum string) (key string, settled bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return cache.Key(sum), false
	}
	const grain = 100 * time.Millisecond
	key = cache.Key(sum, fmt.Sprint(st.Dev, st.Ino, st.Size, st.Mtim.Nano(), st.Ctim.Nano()))
	return key, time.Since(info.ModTime()) > grain
}

// download brings a package to a scratch file, where a transfer can start over, and then to w.
func (s *site) download(ctx context.Context, a *Artifact, w io.Writer, task progress.Task) error {
	m, places, err := s.placesOf(ctx, a)
	if _, offline := errors.AsType[*OfflineError](err); offline {
		return &OfflineError{What: a.name()}
	}
	if err != nil {
		return fmt.Errorf("fetching %s: %w", a.name(), err)
	}
	// A transfer may have to start over, so it needs more than a writer; the cache gives a file.
	file, ok := w.(transfer.Target)
	if !ok {
		return fmt.Errorf("storing %s: the cache gives no file that can be written anew", a.name())
	}
	place, err := s.fetcher.Fetch(ctx, transfer.Request{
		What: a.name(), Places: places, Size: a.Size, Limit: maxPackageFile,
		NewHash: sha256.New, HashName: "sha256", Sum: a.SHA256,
		Head: notPackage, Progress: task.Add,
	}, file)
	if err != nil {
		return err
	}
	if m != nil {
		s.prefer(m.baseOf(place, a.Location))
	}
	return nil
}

// placesOf lists where a package is to be had: from the repository's mirrors, then elsewhere. A
// repository whose mirrors cannot be found out is no obstacle where there is an elsewhere; m is nil then.
func (s *site) placesOf(ctx context.Context, a *Artifact) (m *mirrors, places []string, err error) {
	m, err = s.findMirrors(ctx, false)
	switch {
	case err == nil:
		return m, append(m.places(a.Location), a.Also...), nil
	case len(a.Also) > 0 && ctx.Err() == nil:
		s.client.debug(ctx, "repository's mirrors cannot be found", "repository", s.config.ID, "error", err)
		return nil, a.Also, nil
	}
	return nil, nil, err
}

// notPackage says what is wrong with the first bytes of a package, if anything.
func notPackage(first []byte) string {
	if !bytes.HasPrefix(first, []byte{0xed, 0xab, 0xee, 0xdb}) {
		return "something that is not an RPM package"
	}
	return ""
}
