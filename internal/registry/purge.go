package registry

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/distribution/distribution/v3/registry/storage"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

// Uploads that were never finished are kept for a while, as a client may still go on with one.
const (
	uploadAge  = 24 * time.Hour
	purgeEvery = 24 * time.Hour
)

// untilPurge is how long to wait when uploads were purged last at a time. A clock that was set back does not put it off
// for longer than usual.
func untilPurge(last, now time.Time) time.Duration {
	return min(max(0, purgeEvery-now.Sub(last)), purgeEvery)
}

// purge removes abandoned uploads, at most once a day for a folder, as long as ctx lives.
func (e *Embedded) purge(ctx context.Context) {
	stamp := filepath.Join(e.Root, "purged")
	for {
		wait := time.Duration(0)
		if info, err := os.Stat(stamp); err == nil {
			wait = untilPurge(info.ModTime(), time.Now())
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if err := os.WriteFile(stamp, nil, 0o644); err != nil { // first, so that other processes leave it to this one
			e.log().Warn("abandoned uploads are not removed", "error", err)
			return
		}
		now := time.Now()
		_ = os.Chtimes(stamp, now, now)
		driver := filesystem.New(filesystem.DriverParameters{RootDirectory: e.Root, MaxThreads: 25})
		removed, errs := storage.PurgeUploads(ctx, driver, now.Add(-uploadAge), true)
		e.log().Debug("abandoned uploads removed", "count", len(removed), "errors", len(errs))
	}
}
