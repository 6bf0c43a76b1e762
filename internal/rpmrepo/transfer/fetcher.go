package transfer

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Fetcher fetches files. Its fields must not change once it is used; it is safe for concurrent use.
type Fetcher struct {
	// Client carries HTTP; its Transport knows proxies and certificates. See NewClient.
	Client *http.Client
	// UserAgent is sent to servers.
	UserAgent string
	// Username and Password are sent to Hosts (host or host:port, as in URLs) alone.
	Username, Password string
	Hosts              []string
	// Stall is how long a server may send nothing; 0 means 30 seconds.
	Stall time.Duration
	// Attempts is how often a place is tried; 0 means 4.
	Attempts int
	// Offline allows files alone.
	Offline bool
	// Blobs opens places that BlobPlace made; nil: there are none.
	Blobs Blobs
	Log   *slog.Logger
}

const (
	defaultStall    = 30 * time.Second
	defaultAttempts = 4
	// firstPause doubles with every further round, up to lastPause.
	firstPause = 500 * time.Millisecond
	lastPause  = 15 * time.Second
	// longestWait bounds what a server can ask for with Retry-After.
	longestWait = time.Minute
	// headway is how much must have arrived for a round not to count as an attempt.
	headway = 256 << 10
)

// Fetch brings a file into target, which is empty. It returns the place that the file, or its last
// part, came from. On failure target holds anything; the error is an *Error, an *OfflineError, the
// context's, or that of writing target.
func (f *Fetcher) Fetch(ctx context.Context, r Request, target Target) (place string, err error) {
	in := newReceipt(&r, target)
	failed := make([]error, len(r.Places))
	gone := make([]bool, len(r.Places))
	attempts := f.Attempts
	if attempts <= 0 {
		attempts = defaultAttempts
	}
	for round := 0; round < attempts; round++ {
		before, wait, live := in.size, time.Duration(0), 0
		for i, place := range r.Places {
			if gone[i] {
				continue
			}
			err := f.try(ctx, in, place)
			if err == nil {
				return place, nil
			}
			if final := f.final(ctx, err); final != nil {
				return "", final
			}
			failed[i] = err
			verdict := judge(err)
			// Where the file was put together from pieces, it may have changed between them.
			gone[i] = verdict == leave || verdict == spoilt && !in.pieced
			if verdict == spoilt {
				if err := in.restart(); err != nil {
					return "", err
				}
			}
			if !gone[i] {
				live++
			}
			if status, ok := errors.AsType[*StatusError](err); ok {
				wait = max(wait, status.RetryAfter)
			}
			f.log(ctx, "transfer failed", "what", r.What, "error", err, "given up", gone[i])
		}
		if live == 0 {
			break
		}
		if in.size-before >= headway {
			round = -1
		} else if round == attempts-1 {
			break
		}
		if err := sleep(ctx, max(pause(round), wait)); err != nil {
			return "", err
		}
	}
	return "", f.failure(&r, failed)
}

// failure joins what went wrong, in the order of places.
func (f *Fetcher) failure(r *Request, failed []error) error {
	out := &Error{What: r.What}
	for _, err := range failed {
		if err != nil {
			out.Causes = append(out.Causes, err)
		}
	}
	if offline, ok := errors.AsType[*OfflineError](out); ok {
		return offline
	}
	return out
}

// final gives the errors that end the transfer whatever other places there are.
func (f *Fetcher) final(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if local, ok := errors.AsType[*localError](err); ok {
		return local.cause
	}
	return nil
}

// try fetches, or goes on fetching, from one place.
func (f *Fetcher) try(ctx context.Context, in *receipt, place string) error {
	if ref, ok := isBlob(place); ok {
		return f.readBlob(ctx, in, place, ref)
	}
	path, remote, err := Local(place)
	switch {
	case err != nil:
		return err
	case !remote:
		return f.read(ctx, in, place, path)
	case f.Offline:
		return &OfflineError{What: in.request.What}
	}
	return f.get(ctx, in, place)
}

// Local gives the path of a place that is a file URL or a path; remote says that it is neither.
func Local(place string) (path string, remote bool, err error) {
	scheme, _, ok := strings.Cut(place, "://")
	if !ok {
		if rest, ok := strings.CutPrefix(place, "file:"); ok {
			return rest, false, nil
		}
		return place, false, nil
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		return "", true, nil
	case "file":
		u, err := url.Parse(place)
		if err != nil || u.Host != "" && u.Host != "localhost" {
			return "", false, &placeError{Redact(place) + " is not the URL of a file on this machine"}
		}
		return filepath.FromSlash(u.Path), false, nil
	}
	return "", false, &placeError{Redact(place) + " is neither an http, https or file URL nor a path"}
}

// read copies a file of this machine.
func (f *Fetcher) read(ctx context.Context, in *receipt, place, path string) error {
	if err := in.restart(); err != nil {
		return &localError{err}
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &NotFoundError{URL: Redact(place)}
	}
	if err != nil {
		return &placeError{err.Error()}
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return &placeError{err.Error()}
	}
	if !info.Mode().IsRegular() {
		return &placeError{Redact(place) + " is not a regular file"}
	}
	return in.readAll(ctx, place, file, func(err error) error { return &placeError{err.Error()} })
}

const copySize = 128 << 10

// pause grows with the rounds and is spread, so that many clients do not come back at once.
func pause(round int) time.Duration {
	d := min(firstPause<<max(round, 0), lastPause)
	return d/2 + rand.N(d)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

func (f *Fetcher) log(ctx context.Context, msg string, args ...any) {
	if f.Log != nil {
		f.Log.DebugContext(ctx, msg, args...)
	}
}
