package rpmrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/rpmrepo/modulemd"
	"github.com/slipway-build/slipway/internal/rpmrepo/repodata"
	"github.com/slipway-build/slipway/internal/rpmrepo/transfer"
)

// staleError says that something was not what repomd.xml says, as happens when a repository is
// changed while it is read.
type staleError struct {
	repomd string // sha256
	cause  error
}

func (e *staleError) Error() string { return e.cause.Error() }
func (e *staleError) Unwrap() error { return e.cause }

func isStale(err error) bool {
	_, ok := errors.AsType[*staleError](err)
	return ok
}

// load reads the repository for a configuration of this site. seen is the sha256 of a repomd.xml that turned out to be stale; empty
// at the first try.
func (s *site) load(ctx context.Context, config Config, seen string) (*Repository, error) {
	md, err := s.findRepomd(ctx, seen != "")
	if err != nil {
		return nil, err
	}
	primary, ok := md.Find("primary")
	if !ok {
		return nil, errors.New("repomd.xml names no primary metadata")
	}
	var index *repodata.Index
	var streams *modulemd.Index
	both, loading := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		index, err = indexOf(loading, s, md, primary, repodata.WritePrimaryIndex, repodata.OpenIndex)
		return err
	})
	if modules, ok := md.Find("modules"); ok {
		both.Go(func() (err error) {
			if streams, err = indexOf(loading, s, md, modules, storedModules.write, storedModules.open); err != nil {
				err = fmt.Errorf("reading its modules: %w", err)
			}
			return err
		})
	}
	if err := both.Wait(); err != nil {
		return nil, err
	}
	repo := newRepository(config, index)
	repo.State = State{RepomdSHA256: md.sha256, Revision: md.Revision, Timestamp: md.Timestamp}
	repo.modules = streams
	if files, ok := md.Find("filelists"); ok {
		repo.loadFiles = func(ctx context.Context) (*repodata.Files, error) {
			index, err := indexOf(ctx, s, md, files, repodata.WriteFilesIndex, repodata.OpenFiles)
			if err != nil {
				err = fmt.Errorf("reading the file lists of repository %s: %w", s.config.ID, err)
			}
			return index, err
		}
	}
	if advisories, ok := md.Find("updateinfo"); ok {
		repo.loadAdvisories = func(ctx context.Context) ([]Advisory, error) {
			list, err := indexOf(ctx, s, md, advisories, storedAdvisories.write, storedAdvisories.open)
			if err != nil {
				err = fmt.Errorf("reading the advisories of repository %s: %w", s.config.ID, err)
			}
			return list, err
		}
	}
	return repo, nil
}

// What is kept of documents that are small enough to be read whole each time.
var (
	storedModules    = stored[*modulemd.Index]{"slipway modules 1", modulemd.Parse}
	storedAdvisories = stored[[]Advisory]{"slipway advisories 1", repodata.ParseUpdateinfo}
)

// indexKind is the cache's name for indexes.
const indexKind = "index"

// indexOf gives the index of a part of the metadata, and makes it if the cache has none that is
// whole.
func indexOf[T any](ctx context.Context, s *site, md *metadata, part repodata.Data, write func(io.Writer, io.Reader) (T, error), open func([]byte) (T, error)) (index T, err error) {
	store := s.client.Cache
	key := cache.Key(repodata.FormatVersion, part.Type, part.Checksum.Kind, part.Checksum.Hex)
	for again := false; ; again = true {
		path, there, err := store.Checked(ctx, indexKind, key, func(w io.Writer) error {
			return s.makeIndex(ctx, md, part, func(r io.Reader) (err error) {
				index, err = write(w, r)
				return err
			})
		})
		if err != nil || !there {
			return index, err
		}
		data, err := mapped(path)
		if err == nil {
			index, err = open(data)
		}
		if err == nil || again {
			return index, err
		}
		s.client.debug(ctx, "index is made anew", "repository", s.config.ID, "error", err)
		if err := store.Remove(indexKind, key); err != nil {
			return index, err
		}
	}
}

// makeIndex fetches a part of the metadata and gives it, decompressed, to parse.
func (s *site) makeIndex(ctx context.Context, md *metadata, part repodata.Data, parse func(io.Reader) error) error {
	if md.remembered {
		return &OfflineError{What: fmt.Sprintf("the %s metadata of repository %s", part.Type, s.config.ID)}
	}
	scratch, cleanup, err := s.client.Cache.Temp("metadata-")
	if err != nil {
		return err
	}
	defer cleanup()
	file, err := os.Create(filepath.Join(scratch, "file"))
	if err != nil {
		return fmt.Errorf("storing metadata: %w", err)
	}
	defer file.Close()
	if err := s.fetchPart(ctx, md, part, file); err != nil {
		return err
	}
	data, err := mapped(file.Name())
	if err != nil {
		return fmt.Errorf("reading metadata: %w", err)
	}
	defer unmap(data)
	return parsePart(bytes.NewReader(data), part, parse)
}

// maxPart bounds a part of the metadata whose size repomd.xml does not tell, and maxOpen what any
// decompresses to.
const (
	maxPart = 2 << 30
	maxOpen = 16 << 30
)

func (s *site) fetchPart(ctx context.Context, md *metadata, part repodata.Data, into transfer.Target) (err error) {
	what := fmt.Sprintf("%s metadata of repository %s", part.Type, s.config.ID)
	task := s.client.progress().Start(what, part.Size, bytesUnit)
	defer func() { task.Done(err) }()
	_, err = s.fetcher.Fetch(ctx, transfer.Request{
		What: what, Places: md.mirrors.places(part.Location), Size: part.Size, Limit: maxPart,
		NewHash:  func() hash.Hash { h, _ := repodata.NewHash(part.Checksum.Kind); return h },
		HashName: part.Checksum.Kind, Sum: part.Checksum.Hex,
		Progress: task.Add,
	}, into)
	_, missing := errors.AsType[*NotFoundError](err)
	_, other := errors.AsType[*ChecksumError](err)
	if missing || other {
		return &staleError{repomd: md.sha256, cause: err}
	}
	return err
}

// parsePart decompresses a file while it is parsed. What comes out is decided by the file, whose own
// checksum was verified: as in dnf, open-checksum is not looked at.
func parsePart(file io.Reader, part repodata.Data, parse func(io.Reader) error) error {
	open, err := repodata.Decompress(file)
	if err != nil {
		return fmt.Errorf("reading %s metadata: %w", part.Type, err)
	}
	defer open.Close()
	limit := int64(maxOpen)
	if part.OpenSize > 0 {
		limit = min(limit, part.OpenSize)
	}
	in := &bounded{r: open, left: limit}
	ahead := readAhead(in, part.OpenSize)
	defer ahead.close()
	if err := parse(ahead); err != nil {
		return fmt.Errorf("reading %s metadata: %w", part.Type, err)
	}
	return nil
}

// bounded refuses to give more than what was announced, where io.LimitReader would feign an end.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errors.New("it decompresses to more than it should")
	}
	return n, err
}
