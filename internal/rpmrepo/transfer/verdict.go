package transfer

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// verdict says how a transfer goes on after an error at one place.
type verdict uint8

const (
	// leave the place for another.
	leave verdict = iota
	// again: what is wrong may pass.
	again
	// spoilt: leave the place and throw away what came from it.
	spoilt
)

// judged is an error that knows its verdict.
type judged interface {
	error
	verdict() verdict
}

// judge gives the verdict of an error; leave when the error has none.
func judge(err error) verdict {
	if e, ok := errors.AsType[judged](err); ok {
		return e.verdict()
	}
	return leave
}

func (*NotFoundError) verdict() verdict { return leave }
func (*RedirectError) verdict() verdict { return leave }
func (*OfflineError) verdict() verdict  { return leave }
func (*placeError) verdict() verdict    { return leave }
func (*StallError) verdict() verdict    { return again }
func (*ChecksumError) verdict() verdict { return spoilt }
func (*ContentError) verdict() verdict  { return spoilt }
func (*TooLargeError) verdict() verdict { return spoilt }
func (*checkError) verdict() verdict    { return spoilt }

func (e *StatusError) verdict() verdict {
	switch e.Code {
	case http.StatusTooManyRequests, http.StatusRequestTimeout, http.StatusTooEarly:
		return again
	case http.StatusNotImplemented:
		return leave
	}
	if e.Code >= http.StatusInternalServerError {
		return again
	}
	return leave
}

// verdict of a connection that failed: a name that does not exist and a certificate that is not
// trusted will not be better in a moment.
func (e *netError) verdict() verdict {
	if dns, ok := errors.AsType[*net.DNSError](e.cause); ok && dns.IsNotFound {
		return leave
	}
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](e.cause); untrusted {
		return leave
	}
	return again
}

// placeError is a place that cannot be read from at all.
type placeError struct{ reason string }

func (e *placeError) Error() string { return e.reason }

// netError is a connection that could not be made or broke.
type netError struct {
	url   string
	cause error
}

func (e *netError) Error() string { return fmt.Sprintf("%s: %v", e.url, e.cause) }
func (e *netError) Unwrap() error { return e.cause }

// checkError is what Request.Check found. It keeps the verdicts of errors inside of it hidden: they
// are about other files.
type checkError struct{ cause error }

func (e *checkError) Error() string { return e.cause.Error() }
func (e *checkError) Unwrap() error { return e.cause }

// localError is a failure of this machine, which no other place can help.
type localError struct{ cause error }

func (e *localError) Error() string { return e.cause.Error() }
func (e *localError) Unwrap() error { return e.cause }
