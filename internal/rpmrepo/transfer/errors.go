package transfer

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The errors of this package name places by URL, redacted as by Redact.

// NotFoundError says that a file is not where it should be.
type NotFoundError struct{ URL string }

func (e *NotFoundError) Error() string { return e.URL + " does not exist" }

// StatusError is another answer of a web server than the file.
type StatusError struct {
	URL  string
	Code int
	// RetryAfter is how long the server wants to be left alone; 0 if it does not say.
	RetryAfter time.Duration
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("%s: the server answers %d %s", e.URL, e.Code, http.StatusText(e.Code))
	switch e.Code {
	case http.StatusUnauthorized, http.StatusForbidden:
		text += " (are username and password, or the client certificate, right?)"
	case http.StatusProxyAuthRequired:
		text += " (are proxy_username and proxy_password right?)"
	}
	return text
}

// ChecksumError says that a file is not the one that was meant.
type ChecksumError struct {
	URL string
	// Kind is what was compared: "size", "sha256", …
	Kind      string
	Want, Got string
}

func (e *ChecksumError) Error() string {
	return fmt.Sprintf("%s is not the file that was expected: its %s is %s instead of %s", e.URL, e.Kind, e.Got, e.Want)
}

// ContentError says that a server sent something of another kind than it was asked for.
type ContentError struct{ URL, Got string }

func (e *ContentError) Error() string { return fmt.Sprintf("%s gives %s", e.URL, e.Got) }

// StallError says that a server stopped sending.
type StallError struct {
	URL      string
	After    time.Duration
	Received int64
}

func (e *StallError) Error() string {
	return fmt.Sprintf("%s: the server sent nothing, or next to nothing, for %s (after %d bytes)", e.URL, e.After, e.Received)
}

// RedirectError says that a server sends from place to place without end, or to where we do not go.
type RedirectError struct{ URL, Reason string }

func (e *RedirectError) Error() string { return fmt.Sprintf("%s: %s", e.URL, e.Reason) }

// TooLargeError says that a file is larger than such a file can be.
type TooLargeError struct {
	URL   string
	Limit int64
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s is larger than %d bytes, the most that is read of it", e.URL, e.Limit)
}

// OfflineError says that something would have to be fetched, but the network is not to be used.
type OfflineError struct {
	// What is missing, for a person.
	What string
}

func (e *OfflineError) Error() string {
	return fmt.Sprintf("%s is not in the cache, and the network is not to be used (offline)", e.What)
}

// Error is a transfer that failed at every place.
type Error struct {
	// What was to be fetched, for a person.
	What string
	// Causes has what was wrong, in the order of places, the last failure of each.
	Causes []error
}

func (e *Error) Error() string {
	text := "fetching " + e.What + ": "
	if len(e.Causes) == 0 {
		return text + "no place to fetch it from is known"
	}
	const shown = 3
	for i, c := range e.Causes[:min(len(e.Causes), shown)] {
		if i > 0 {
			text += "; "
		}
		text += c.Error()
	}
	if n := len(e.Causes) - shown; n > 0 {
		text += fmt.Sprintf("; and %d more places failed", n)
	}
	return text
}

// Unwrap gives the causes to errors.Is and errors.As.
func (e *Error) Unwrap() []error { return e.Causes }

// Redact makes a URL or path fit to be shown: without password and without query, in which tokens
// are found.
func Redact(place string) string {
	if !strings.Contains(place, "://") {
		return place
	}
	u, err := url.Parse(place)
	if err != nil {
		return "[a URL that is not valid]"
	}
	if u.RawQuery != "" {
		u.RawQuery = "..."
	}
	u.Fragment = ""
	return u.Redacted()
}
