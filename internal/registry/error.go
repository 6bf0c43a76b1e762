package registry

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/slipway-build/slipway/internal/terminal"
)

// Reason says why a registry did not do what it was asked.
type Reason string

// The reasons that callers tell apart.
const (
	Unauthorized Reason = "unauthorized" // credentials are missing or wrong
	Denied       Reason = "denied"       // the credentials do not permit it
	NotFound     Reason = "not found"    // no such image or repository
	Unavailable  Reason = "unavailable"  // it could not be reached or kept failing; later may be better
	Mismatch     Reason = "mismatch"     // content that is not what its digest says
	PlainHTTP    Reason = "plain HTTP"   // it would have to be spoken to without TLS
	Refused      Reason = "refused"      // anything else
)

// Error is a registry's refusal. Its text says what, where, and what a person can do.
type Error struct {
	Op     string // "pushing", "pulling", "resolving"
	Ref    string // host/repository[:tag|@digest]
	Host   string
	Reason Reason
	Login  bool // credentials were sent
	Err    error
}

// Temporary tells whether the same call may succeed later.
func (e *Error) Temporary() bool { return e.Reason == Unavailable }

func (e *Error) Unwrap() error { return e.Err }

func (e *Error) Error() string {
	text := fmt.Sprintf("%s %s: %v", e.Op, e.Ref, e.Err)
	switch e.Reason {
	case Unauthorized:
		if e.Login {
			return fmt.Sprintf("%s; the stored login for %s is not accepted: renew it with `podman login %s` or `docker login %s`", text, e.Host, e.Host, e.Host)
		}
		return fmt.Sprintf("%s; there is no login for %s: run `podman login %s` or `docker login %s`, or set DOCKER_CONFIG", text, e.Host, e.Host, e.Host)
	case Denied:
		return fmt.Sprintf("%s; the login for %s may not do this: ask its owner for access, or correct the repository's name", text, e.Host)
	case NotFound:
		if e.Op == "pushing" {
			return text + "; create the repository there, or correct its name"
		}
		return text + "; it was never pushed, was deleted, or its name is wrong"
	case PlainHTTP:
		return fmt.Sprintf("%s; only loopback is spoken to without TLS: give %s a certificate, or mark the registry as insecure", text, e.Host)
	default:
		return text
	}
}

var errPlainHTTP = errors.New("the registry would be spoken to in plain HTTP")

// mismatchError says that bytes are not what their digest says.
type mismatchError struct{ what, want, got string }

func (e *mismatchError) Error() string {
	return fmt.Sprintf("%s is not what its digest says: want %s, got %s", e.what, e.want, e.got)
}

// tripError is a request that got no answer. Asking a registry without TLS whether it knows TLS is none: for a registry
// that may be spoken to both ways, both are tried, and what counts is how the other one failed.
type tripError struct{ err error }

func (e *tripError) Error() string { return e.err.Error() }
func (e *tripError) Unwrap() error { return e.err }

// readError is the failure of our own side to read a blob: no registry's fault, and not tried again.
type readError struct{ err error }

func (e *readError) Error() string { return "reading the blob to send: " + e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// lost is a certain sign that an upload's session is gone, as after a restart of the registry.
func lost(err *transport.Error) bool {
	return has(err, transport.BlobUploadUnknownErrorCode, transport.BlobUploadInvalidErrorCode)
}

func has(err *transport.Error, codes ...transport.ErrorCode) bool {
	for _, d := range err.Errors {
		for _, c := range codes {
			if d.Code == c {
				return true
			}
		}
	}
	return false
}

// temporary tells whether the request that failed with err may succeed when it is sent again.
func temporary(err error) bool {
	var answer *transport.Error
	var trip *tripError
	var mismatch *mismatchError
	var read *readError
	var broken *net.OpError
	switch {
	case errors.As(err, &answer):
		s := answer.StatusCode
		return s == http.StatusRequestTimeout || s == http.StatusTooManyRequests ||
			s >= 500 && s != http.StatusNotImplemented && s != http.StatusHTTPVersionNotSupported || lost(answer)
	case errors.Is(err, errPlainHTTP), errors.As(err, &mismatch), errors.As(err, &read):
		return false
	case errors.As(err, &trip):
		var dns *net.DNSError
		var certificate *tls.CertificateVerificationError
		return !errors.As(trip, &certificate) && (!errors.As(trip, &dns) || !dns.IsNotFound)
	}
	return errors.As(err, &broken) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errStalled)
}

// reason finds what kind of refusal err is.
func reason(err error) Reason {
	var answer *transport.Error
	var mismatch *mismatchError
	var trip *tripError
	switch {
	case errors.As(err, &mismatch):
		return Mismatch
	case errors.Is(err, errPlainHTTP):
		return PlainHTTP
	case temporary(err):
		return Unavailable
	case errors.Is(err, http.ErrSchemeMismatch) && !errors.As(err, &trip):
		return PlainHTTP
	case errors.As(err, &answer):
		switch {
		case has(answer, transport.DigestInvalidErrorCode):
			return Mismatch
		case answer.StatusCode == http.StatusUnauthorized:
			return Unauthorized
		case answer.StatusCode == http.StatusForbidden:
			return Denied
		case answer.StatusCode == http.StatusNotFound:
			return NotFound
		}
	}
	return Refused
}

// tidy shortens what the transport says to what a person needs.
func tidy(err error) error {
	var answer *transport.Error
	var trip *tripError
	if !errors.As(err, &answer) {
		if errors.As(err, &trip) {
			return trip
		}
		return err
	}
	parts := []string{fmt.Sprintf("the registry answers %d", answer.StatusCode)}
	for _, d := range answer.Errors {
		part := strings.TrimSpace(fmt.Sprintf("%s %s", d.Code, d.Message))
		if d.Detail != nil && len(parts) == 1 {
			part += fmt.Sprintf(" (%.300v)", d.Detail)
		}
		parts = append(parts, part)
	}
	if len(answer.Errors) == 0 {
		parts[0] += " " + http.StatusText(answer.StatusCode)
	}
	return &answerError{text: printable(strings.Join(parts, ": ")), err: answer}
}

// answerError keeps the transport's error beneath a text that is fit for a terminal.
type answerError struct {
	text string
	err  *transport.Error
}

func (e *answerError) Error() string { return e.text }
func (e *answerError) Unwrap() error { return e.err }

// printable drops what a hostile registry could send to a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if terminal.Obeys(r) {
			return -1
		}
		return r
	}, s)
}
