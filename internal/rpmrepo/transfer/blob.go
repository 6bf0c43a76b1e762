package transfer

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
)

// Blobs opens what is kept in container registries, whose logins this package knows nothing of. It is
// safe for concurrent use. Its errors wrap fs.ErrNotExist for what is not there; those that have
// Temporary() bool say whether to try again.
type Blobs interface {
	// Open opens a blob by reference, HOST/REPOSITORY@sha256:HEX, for reading as many bytes.
	Open(ctx context.Context, ref string, size int64) (io.ReadCloser, error)
	// Has says whether it is there.
	Has(ctx context.Context, ref string) (bool, error)
}

// BlobPlace is the place of a blob of a registry, by reference; see Blobs.
func BlobPlace(ref string) string { return blobScheme + ref }

const blobScheme = "oci://"

// isBlob gives the reference of a place that is a blob.
func isBlob(place string) (ref string, ok bool) { return strings.CutPrefix(place, blobScheme) }

// blobError is a registry that did not give a blob.
type blobError struct{ cause error }

func (e *blobError) Error() string { return e.cause.Error() }
func (e *blobError) Unwrap() error { return e.cause }

func (e *blobError) verdict() verdict {
	if t, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](e.cause); ok && t.Temporary() {
		return again
	}
	return leave
}

func (f *Fetcher) blobs(what string) (Blobs, error) {
	switch {
	case f.Offline:
		return nil, &OfflineError{What: what}
	case f.Blobs == nil:
		return nil, &placeError{"registries cannot be read from here"}
	}
	return f.Blobs, nil
}

// readBlob copies a blob.
func (f *Fetcher) readBlob(ctx context.Context, in *receipt, place, ref string) error {
	blobs, err := f.blobs(in.request.What)
	if err != nil {
		return err
	}
	if err := in.restart(); err != nil {
		return &localError{err}
	}
	r, err := blobs.Open(ctx, ref, in.request.Size)
	if errors.Is(err, fs.ErrNotExist) {
		return &NotFoundError{URL: place}
	}
	if err != nil {
		return &blobError{err}
	}
	defer r.Close()
	return in.readAll(ctx, place, r, func(err error) error { return &blobError{err} })
}

// statBlob looks whether a blob is there. Its size is that of its digest.
func (f *Fetcher) statBlob(ctx context.Context, r *Request, place, ref string) error {
	blobs, err := f.blobs(r.What)
	if err != nil {
		return err
	}
	there, err := blobs.Has(ctx, ref)
	switch {
	case err != nil:
		return &blobError{err}
	case !there:
		return &NotFoundError{URL: place}
	}
	return nil
}

// readAll takes in all that r gives; fail makes the error of a reader that breaks off.
func (in *receipt) readAll(ctx context.Context, place string, r io.Reader, fail func(error) error) error {
	buf := make([]byte, copySize)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(buf)
		if n > 0 {
			if err := in.write(place, buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return in.complete(place)
		}
		if err != nil {
			return fail(err)
		}
	}
}
