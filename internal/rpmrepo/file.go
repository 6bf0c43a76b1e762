package rpmrepo

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/slipway-build/slipway/internal/rpmrepo/transfer"
)

// Download is a file that is no package, known by its checksum.
type Download struct {
	// What it is, for messages.
	What string
	// URL of it, without credentials.
	URL string
	// SHA256 in lowercase hex.
	SHA256 string
}

// fileKind is the cache's name for downloads, by sha256.
const fileKind = "file"

// maxDownload bounds a download, in bytes: as much as an image takes beside its packages.
const maxDownload = 1 << 30

// Download brings a file and gives its path in the cache. It has the checksum, also where it was there.
func (c *Client) Download(ctx context.Context, d Download) (path string, err error) {
	s, err := c.site(DefaultConfig("downloads"))
	if err != nil {
		return "", err
	}
	for {
		path, hit, err := c.Cache.File(ctx, fileKind, d.SHA256, func(w io.Writer) error { return s.downloadFile(ctx, d, w) })
		if err != nil || !hit {
			return path, err
		}
		whole, err := c.intact(ctx, path, &Artifact{Location: d.What, SHA256: d.SHA256})
		if err != nil || whole {
			return path, err
		}
		if err := c.Cache.Remove(fileKind, d.SHA256); err != nil {
			return "", err
		}
	}
}

func (s *site) downloadFile(ctx context.Context, d Download, w io.Writer) (err error) {
	file, ok := w.(transfer.Target)
	if !ok {
		return fmt.Errorf("storing %s: the cache gives no file that can be written anew", d.What)
	}
	task := s.client.progress().Start("downloading "+d.What, 0, bytesUnit)
	defer func() { task.Done(err) }()
	_, err = s.fetcher.Fetch(ctx, transfer.Request{
		What: d.What, Places: []string{d.URL}, Limit: maxDownload, NewHash: sha256.New, HashName: "sha256", Sum: d.SHA256, Progress: task.Add,
	}, file)
	return err
}
