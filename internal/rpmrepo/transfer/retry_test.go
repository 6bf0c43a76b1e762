package transfer

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// script is a RoundTripper that answers with one function after another, the last for ever.
type script struct {
	answers []func(*http.Request) (*http.Response, error)
	times   []time.Time
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := s.answers[min(len(s.times), len(s.answers)-1)]
	s.times = append(s.times, time.Now())
	return answer(r)
}

// answer is what the server does with one request.
type answer = func(*http.Request) (*http.Response, error)

func status(code int, header ...string) answer {
	return func(r *http.Request) (*http.Response, error) {
		resp := &http.Response{StatusCode: code, Header: http.Header{}, Body: http.NoBody, Request: r}
		for i := 0; i < len(header); i += 2 {
			resp.Header.Set(header[i], header[i+1])
		}
		return resp, nil
	}
}

func whole(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: 200, Header: http.Header{}, Request: r,
		ContentLength: int64(len(content)), Body: io.NopCloser(bytes.NewReader(content)),
	}, nil
}

func refused(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }

func scripted(answers ...func(*http.Request) (*http.Response, error)) (*Fetcher, *script) {
	s := &script{answers: answers}
	f := fetcher()
	f.Client, f.Attempts = &http.Client{Transport: s}, 4
	return f, s
}

// What may pass is tried again, after pauses that grow and are spread.
func TestRetryBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := scripted(status(503), refused, status(502), whole)
		fetch(t, f, request("http://host/file"))
		if len(s.times) != 4 {
			t.Fatalf("%d requests", len(s.times))
		}
		for i, base := range []time.Duration{firstPause, 2 * firstPause, 4 * firstPause} {
			if d := s.times[i+1].Sub(s.times[i]); d < base/2 || d > base*3/2 {
				t.Errorf("pause %d was %s", i, d)
			}
		}
	})
}

func TestRetryEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := scripted(status(503))
		if err := fails[*StatusError](t, f, request("http://host/file")); err.Code != 503 {
			t.Error(err)
		}
		if len(s.times) != 4 {
			t.Errorf("%d requests", len(s.times))
		}
	})
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := scripted(status(429, "Retry-After", "20"), status(503, "Retry-After", "99999"), whole)
		fetch(t, f, request("http://host/file"))
		if d := s.times[1].Sub(s.times[0]); d != 20*time.Second {
			t.Errorf("waited %s", d)
		}
		if d := s.times[2].Sub(s.times[1]); d != longestWait {
			t.Errorf("waited %s, not at most %s", d, longestWait)
		}
	})
}

// What will not pass is not tried again.
func TestNoRetry(t *testing.T) {
	for _, code := range []int{400, 401, 403, 404, 410, 501} {
		synctest.Test(t, func(t *testing.T) {
			f, s := scripted(status(code))
			start := time.Now()
			fails[*Error](t, f, request("http://host/file"))
			if len(s.times) != 1 || time.Since(start) > 0 {
				t.Errorf("%d: %d requests in %s", code, len(s.times), time.Since(start))
			}
		})
	}
}

// A server that breaks off again and again, but gets on each time, is not given up.
func TestRetryHeadway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const step = 300_000
		sent := 0
		f, s := scripted(func(r *http.Request) (*http.Response, error) {
			rest := content[sent:]
			resp := &http.Response{StatusCode: 200, Header: http.Header{}, Request: r, ContentLength: int64(len(rest))}
			if sent > 0 {
				resp.StatusCode = 206
				resp.Header.Set("Content-Range", "bytes "+r.Header.Get("Range")[len("bytes="):]+"/*")
			}
			n := min(step, len(rest))
			var end io.Reader = bytes.NewReader(nil)
			if n < len(rest) {
				end = broken{}
			}
			resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(rest[:n]), end))
			sent += n
			return resp, nil
		})
		f.Attempts = 2
		fetch(t, f, request("http://host/file"))
		if len(s.times) != len(content)/step+1 {
			t.Errorf("%d requests", len(s.times))
		}
	})
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// A hang is noticed even where nothing at all is answered.
func TestStallBeforeAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := scripted(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		f.Stall, f.Attempts = 30*time.Second, 1
		start := time.Now()
		fails[*StallError](t, f, request("http://host/file"))
		if d := time.Since(start); d != 30*time.Second {
			t.Errorf("noticed after %s", d)
		}
	})
}
