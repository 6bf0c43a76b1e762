package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

var errStalled = errors.New("stalled")

// watchdog cancels a request when too little arrives.
type watchdog struct {
	timer *time.Timer
	limit time.Duration
	quota int64
}

// enough is what must arrive for the watchdog to wait anew: a server cannot hold us with a byte now
// and then.
const enough = 8 << 10

func (w *watchdog) fed(n int) {
	if w.quota -= int64(n); w.quota <= 0 {
		w.quota = enough
		w.timer.Reset(w.limit)
	}
}

// get asks a web server for the file, or for what is missing of it.
func (f *Fetcher) get(ctx context.Context, in *receipt, place string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limit := f.Stall
	if limit <= 0 {
		limit = defaultStall
	}
	dog := &watchdog{limit: limit, timer: time.AfterFunc(limit, func() { cancel(errStalled) })}
	defer dog.timer.Stop()

	resp, err := f.ask(ctx, http.MethodGet, in, place)
	if err != nil {
		return f.explain(ctx, err, in, place, limit)
	}
	defer resp.Body.Close()
	if err := f.accept(resp, in, place); err != nil {
		return err
	}
	buf := make([]byte, copySize)
	for {
		n, err := resp.Body.Read(buf)
		if n > 0 {
			dog.fed(n)
			if err := in.write(place, buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF && resp.ContentLength < 0 && in.size < in.request.Size {
			err = io.ErrUnexpectedEOF // the end of a connection is no sign that the file ended
		}
		if err == io.EOF {
			return in.complete(place)
		}
		if err != nil {
			return f.explain(ctx, err, in, place, limit)
		}
	}
}

// ask sends the request. When a part is there already, it asks for the rest, provided that the
// server's file is still the same one.
func (f *Fetcher) ask(ctx context.Context, method string, in *receipt, place string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, place, nil)
	if err != nil {
		return nil, &placeError{Redact(place) + " is not a valid URL"}
	}
	// Checksums are of the file as it is; no transfer encoding may change it.
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", f.UserAgent)
	if in.request.Fresh {
		req.Header.Set("Cache-Control", "no-cache")
	}
	if req.URL.User == nil && f.Username != "" && slices.Contains(f.Hosts, req.URL.Host) {
		req.SetBasicAuth(f.Username, f.Password)
	}
	if in.size > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", in.size))
		if in.from == place && in.tag != "" {
			req.Header.Set("If-Range", in.tag)
		}
	}
	client := *f.Client
	client.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		return checkRedirect(next, via, in.request.NewHash != nil || in.request.Checked)
	}
	return client.Do(req)
}

const maxRedirects = 10

// checkRedirect follows redirects, but not without end, and not from https to http with credentials
// or where only the connection vouches for what comes.
func checkRedirect(next *http.Request, via []*http.Request, checked bool) error {
	if len(via) >= maxRedirects {
		return &RedirectError{Reason: fmt.Sprintf("more than %d redirects, the last to %s", maxRedirects, Redact(next.URL.String()))}
	}
	first := via[0]
	if via[len(via)-1].URL.Scheme == "https" && next.URL.Scheme == "http" {
		if !checked || first.Header.Get("Authorization") != "" || first.URL.User != nil {
			return &RedirectError{Reason: "it redirects to " + Redact(next.URL.String()) + ", which is not encrypted"}
		}
	}
	return nil
}

// accept looks at the answer's head and makes ready for its body.
func (f *Fetcher) accept(resp *http.Response, in *receipt, place string) error {
	shown := Redact(place)
	switch code := resp.StatusCode; {
	case code == http.StatusPartialContent && in.size > 0:
		if ok := continues(resp.Header.Get("Content-Range"), in); !ok {
			if err := in.restart(); err != nil {
				return &localError{err}
			}
			return &netError{shown, errors.New("the server sent another part of the file than it was asked for")}
		}
		in.pieced = true
	case code == http.StatusOK:
		if in.size > 0 {
			if err := in.restart(); err != nil {
				return &localError{err}
			}
		}
	case code == http.StatusNotFound || code == http.StatusGone:
		return &NotFoundError{URL: shown}
	case code == http.StatusRequestedRangeNotSatisfiable && in.size > 0:
		if err := in.restart(); err != nil {
			return &localError{err}
		}
		return &netError{shown, errors.New("the server's file is shorter than what it had sent before")}
	default:
		status := &StatusError{URL: shown, Code: code}
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
			status.RetryAfter = min(time.Duration(min(seconds, 3600))*time.Second, longestWait)
		}
		return status
	}
	if want := in.request.Size; want > 0 && resp.ContentLength >= 0 && in.size+resp.ContentLength != want {
		// Not before the content was seen: an HTML page has the wrong size too, and says more.
		if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
			return &ChecksumError{shown, "size", strconv.FormatInt(want, 10), strconv.FormatInt(in.size+resp.ContentLength, 10)}
		}
	}
	in.tag = validator(resp.Header)
	return nil
}

// validator gives what identifies this version of the file (RFC 9110, section 13.1.5): a strong
// entity tag, or the time of the last change.
func validator(h http.Header) string {
	if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return h.Get("Last-Modified")
}

// continues says whether a part of a file begins where ours ends.
func continues(contentRange string, in *receipt) bool {
	rest, ok := strings.CutPrefix(contentRange, "bytes ")
	if !ok {
		return false
	}
	span, total, _ := strings.Cut(rest, "/")
	start, _, _ := strings.Cut(span, "-")
	if n, err := strconv.ParseInt(start, 10, 64); err != nil || n != in.size {
		return false
	}
	n, err := strconv.ParseInt(total, 10, 64)
	return err != nil || in.request.Size == 0 || n == in.request.Size
}

// explain turns an error of package http into one of ours, without URLs that could hold secrets.
func (f *Fetcher) explain(ctx context.Context, err error, in *receipt, place string, limit time.Duration) error {
	shown := Redact(place)
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errStalled):
		return &StallError{URL: shown, After: limit, Received: in.size}
	case cause != nil:
		return cause // which may be the failure of another transfer
	}
	if e, ok := errors.AsType[*RedirectError](err); ok {
		return &RedirectError{URL: shown, Reason: e.Reason}
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*placeError](err); ok {
		return e
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("the connection ended after %d bytes, before the file did", in.size)
	}
	return &netError{shown, err}
}
