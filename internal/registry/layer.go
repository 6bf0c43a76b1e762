package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// remoteLayer is a blob in a registry.
type remoteLayer struct {
	*client
	ctx        context.Context
	descriptor v1.Descriptor
}

func (l *remoteLayer) Digest() (v1.Hash, error)            { return l.descriptor.Digest, nil }
func (l *remoteLayer) Size() (int64, error)                { return l.descriptor.Size, nil }
func (l *remoteLayer) MediaType() (types.MediaType, error) { return l.descriptor.MediaType, nil }
func (l *remoteLayer) Descriptor() (*v1.Descriptor, error) { return &l.descriptor, nil }
func (l *remoteLayer) Compressed() (io.ReadCloser, error)  { return l.openBlob(l.ctx, l.descriptor) }

// readBlob reads a whole small blob.
func (c *client) readBlob(ctx context.Context, d v1.Descriptor) ([]byte, error) {
	r, err := c.openBlob(ctx, d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// openBlob opens a blob for reading. What comes is verified by its end, and never longer than d says.
func (c *client) openBlob(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	if d.Digest.Algorithm != "sha256" {
		return nil, fmt.Errorf("its digest is of an unknown kind, %q", d.Digest.Algorithm)
	}
	r := &blobReader{client: c, ctx: ctx, descriptor: d, hash: sha256.New()}
	if err := c.retry(ctx, "GET "+d.Digest.String(), r.connect); err != nil {
		return nil, err
	}
	return r, nil
}

// blobReader reads a blob, goes on where it broke off, and verifies it. Not for concurrent use.
type blobReader struct {
	*client
	ctx        context.Context
	descriptor v1.Descriptor
	hash       hash.Hash
	offset     int64
	broken     int // connections lost since a byte came

	body    io.ReadCloser // nil between connections
	dog     *watchdog
	release func()
}

// connect asks for the blob from the offset on.
func (r *blobReader) connect() error {
	ctx, dog, release := watch(r.ctx, r.patience.stall)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url("/blobs/%s", r.descriptor.Digest).String(), nil)
	if err != nil {
		release()
		return err
	}
	if r.offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", r.offset))
	}
	resp, err := r.do(req, http.StatusOK, http.StatusPartialContent)
	if err != nil {
		release()
		return err
	}
	if resp.StatusCode == http.StatusOK && r.offset > 0 { // the registry knows no ranges
		if _, err := io.CopyN(io.Discard, resp.Body, r.offset); err != nil {
			resp.Body.Close()
			release()
			return err
		}
	}
	r.body, r.dog, r.release = resp.Body, dog, release
	return nil
}

func (r *blobReader) disconnect() {
	if r.body != nil {
		r.body.Close()
		r.release()
		r.body = nil
	}
}

func (r *blobReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if r.body == nil {
			if err := r.retry(r.ctx, "GET "+r.descriptor.Digest.String(), r.connect); err != nil {
				return 0, fmt.Errorf("reading blob %s: %w", r.descriptor.Digest, tidy(err))
			}
		}
		n, err := r.body.Read(p)
		if n > 0 {
			r.dog.touch()
			r.broken = 0
			r.offset += int64(n)
			r.hash.Write(p[:n])
			if r.offset > r.descriptor.Size {
				return 0, &mismatchError{"blob " + r.descriptor.Digest.String(), fmt.Sprint(r.descriptor.Size, " bytes"), "more"}
			}
			return n, nil
		}
		switch {
		case err == nil:
		case err == io.EOF && r.offset >= r.descriptor.Size:
			return 0, r.verify()
		case r.ctx.Err() != nil:
			return 0, fmt.Errorf("reading blob %s: %w", r.descriptor.Digest, context.Cause(r.ctx))
		case r.broken >= r.patience.attempts:
			return 0, fmt.Errorf("reading blob %s: it ends after %d of %d bytes: %w", r.descriptor.Digest, r.offset, r.descriptor.Size, io.ErrUnexpectedEOF)
		default:
			r.broken++
			r.log.Warn("reading a blob goes on where it broke off", "blob", r.descriptor.Digest.String(), "offset", r.offset, "error", err)
			r.disconnect()
		}
	}
}

// verify is what the end of the blob answers.
func (r *blobReader) verify() error {
	if got := hex.EncodeToString(r.hash.Sum(nil)); got != r.descriptor.Digest.Hex {
		return &mismatchError{"blob " + r.descriptor.Digest.String(), r.descriptor.Digest.Hex, got}
	}
	return io.EOF
}

func (r *blobReader) Close() error {
	r.disconnect()
	return nil
}
