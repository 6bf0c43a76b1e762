package transfer

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// Stat looks whether a file could be fetched, without fetching it: that a place has one, of the size
// that the request gives. Its content is not compared. It returns the place; errors are those of
// Fetch, and as there a failure that may pass is tried again.
func (f *Fetcher) Stat(ctx context.Context, r Request) (place string, err error) {
	failed := make([]error, len(r.Places))
	gone := make([]bool, len(r.Places))
	attempts := f.Attempts
	if attempts <= 0 {
		attempts = defaultAttempts
	}
	for round := range attempts {
		wait, live := time.Duration(0), 0
		for i, place := range r.Places {
			if gone[i] {
				continue
			}
			err := f.statAt(ctx, &r, place)
			if err == nil {
				return place, nil
			}
			if final := f.final(ctx, err); final != nil {
				return "", final
			}
			failed[i], gone[i] = err, judge(err) != again
			if !gone[i] {
				live++
			}
			if status, ok := errors.AsType[*StatusError](err); ok {
				wait = max(wait, status.RetryAfter)
			}
			f.log(ctx, "file was not found", "what", r.What, "error", err, "given up", gone[i])
		}
		if live == 0 || round == attempts-1 {
			break
		}
		if err := sleep(ctx, max(pause(round), wait)); err != nil {
			return "", err
		}
	}
	return "", f.failure(&r, failed)
}

func (f *Fetcher) statAt(ctx context.Context, r *Request, place string) error {
	if ref, ok := isBlob(place); ok {
		return f.statBlob(ctx, r, place, ref)
	}
	path, remote, err := Local(place)
	switch {
	case err != nil:
		return err
	case !remote:
		return statFile(r, place, path)
	case f.Offline:
		return &OfflineError{What: r.What}
	}
	err = f.head(ctx, http.MethodHead, r, place)
	status, ok := errors.AsType[*StatusError](err)
	if ok && (status.Code == http.StatusMethodNotAllowed || status.Code == http.StatusNotImplemented || status.Code == http.StatusForbidden) {
		// Some servers, and URLs that are signed for one method, answer only GET. The body is not read.
		return f.head(ctx, http.MethodGet, r, place)
	}
	return err
}

func statFile(r *Request, place, path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &NotFoundError{URL: Redact(place)}
	case err != nil:
		return &placeError{err.Error()}
	case !info.Mode().IsRegular():
		return &placeError{Redact(place) + " is not a regular file"}
	case r.Size > 0 && info.Size() != r.Size:
		return &ChecksumError{Redact(place), "size", strconv.FormatInt(r.Size, 10), strconv.FormatInt(info.Size(), 10)}
	}
	return nil
}

// head looks at the answer's head alone.
func (f *Fetcher) head(ctx context.Context, method string, r *Request, place string) error {
	limit := f.Stall
	if limit <= 0 {
		limit = defaultStall
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errStalled)
	defer cancel()
	in := newReceipt(r, nil)
	resp, err := f.ask(ctx, method, in, place)
	if err != nil {
		return f.explain(ctx, err, in, place, limit)
	}
	defer resp.Body.Close()
	if err := f.accept(resp, in, place); err != nil {
		return err
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		return &ContentError{URL: Redact(place), Got: "an HTML page"}
	}
	return nil
}
