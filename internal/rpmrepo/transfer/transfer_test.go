package transfer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// content is what the tests transfer: large enough to break in the middle.
var content = bytes.Repeat([]byte("all that glitters is not gold. "), 40_000)

func request(places ...string) Request {
	sum := sha256.Sum256(content)
	return Request{
		What: "the file", Places: places, Size: int64(len(content)),
		NewHash: sha256.New, HashName: "sha256", Sum: hex.EncodeToString(sum[:]),
	}
}

func fetcher() *Fetcher {
	return &Fetcher{Client: &http.Client{}, UserAgent: "slipway/test", Stall: 10 * time.Second, Attempts: 2}
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func good(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "", time.Unix(1e9, 0), bytes.NewReader(content))
}

// fetch fetches into memory and wants the whole content.
func fetch(t *testing.T, f *Fetcher, r Request) (place string) {
	t.Helper()
	var buf Buffer
	place, err := f.Fetch(t.Context(), r, &buf)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(buf.Bytes(), content) {
		t.Fatal("the content is not what was served")
	}
	return place
}

// fails fetches and wants an error of a type.
func fails[E error](t *testing.T, f *Fetcher, r Request) E {
	t.Helper()
	var buf Buffer
	_, err := f.Fetch(t.Context(), r, &buf)
	if err == nil {
		t.Fatal("the transfer succeeded")
	}
	e, ok := errors.AsType[E](err)
	if !ok {
		t.Fatalf("got %T: %v", err, err)
	}
	return e
}

func TestFetch(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if ua := r.Header.Get("User-Agent"); ua != "slipway/test" {
			t.Errorf("User-Agent is %q", ua)
		}
		if enc := r.Header.Get("Accept-Encoding"); enc != "identity" {
			t.Errorf("Accept-Encoding is %q", enc)
		}
		good(w, r)
	})
	var got int64
	r := request(s.URL)
	r.Progress = func(n int64) { got += n }
	fetch(t, fetcher(), r)
	if got != int64(len(content)) {
		t.Errorf("progress counted %d bytes", got)
	}
}

func TestFetchFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a file")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{path, "file://" + path, "file://localhost" + strings.ReplaceAll(path, " ", "%20"), "file:" + path} {
		fetch(t, fetcher(), request(place))
	}
	fails[*NotFoundError](t, fetcher(), request(path+"x"))
	if err := fails[*Error](t, fetcher(), request(filepath.Dir(path))); !strings.Contains(err.Error(), "not a regular file") {
		t.Error(err)
	}
	for _, place := range []string{"ftp://host/file", "file://otherhost/file", "http://[bad"} {
		if err := fails[*Error](t, fetcher(), request(place)); len(err.Causes) != 1 {
			t.Error(err)
		}
	}
}

// A connection that breaks goes on where it stopped.
func TestFetchResumes(t *testing.T) {
	var ranges []string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		ranges = append(ranges, r.Header.Get("Range")+" "+r.Header.Get("If-Range"))
		w.Header().Set("ETag", `"v1"`)
		if len(ranges) > 1 {
			good(w, r)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		w.Write(content[:500_000])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	fetch(t, fetcher(), request(s.URL))
	if len(ranges) != 2 || ranges[0] != " " || !strings.HasPrefix(ranges[1], "bytes=") || !strings.HasSuffix(ranges[1], `- "v1"`) {
		t.Errorf("requests were %q", ranges)
	}
}

// A server that knows no ranges, or whose file changed, sends everything again.
func TestFetchRestarts(t *testing.T) {
	var requests atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			w.Header().Set("ETag", `"v1"`)
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			w.Write(bytes.ToUpper(content[:500_000]))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("ETag", `"v2"`)
		good(w, r)
	})
	var got int64
	r := request(s.URL)
	r.Progress = func(n int64) { got += n }
	fetch(t, fetcher(), r)
	if got != int64(len(content)) {
		t.Errorf("progress counted %d bytes", got)
	}
}

// Pieces of different versions make a wrong whole; the file is then fetched in one piece.
func TestFetchPieces(t *testing.T) {
	var requests atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 { // no validator
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			w.Write(bytes.ToUpper(content[:500_000]))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		good(w, r)
	})
	f := fetcher()
	f.Attempts = 3
	fetch(t, f, request(s.URL))
	if requests.Load() != 3 {
		t.Errorf("%d requests", requests.Load())
	}
}

// Servers whose partial answers cannot be used are asked for everything.
func TestFetchWrongPart(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"another part": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 7-9/10")
			w.WriteHeader(http.StatusPartialContent)
			w.Write([]byte("abc"))
		},
		"not satisfiable": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int32
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch requests.Add(1) {
				case 1:
					w.Header().Set("Content-Length", fmt.Sprint(len(content)))
					w.Write(content[:300_000])
					w.(http.Flusher).Flush()
					panic(http.ErrAbortHandler)
				case 2:
					answer(w, r)
				default:
					good(w, r)
				}
			})
			f := fetcher()
			f.Attempts = 4
			fetch(t, f, request(s.URL))
		})
	}
}

// What one mirror gives too little of, the next completes.
func TestFetchNextMirror(t *testing.T) {
	ok := serve(t, good)
	for name, h := range map[string]http.HandlerFunc{
		"missing":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"gone":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) },
		"forbidden":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"broken":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"html":         func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<!DOCTYPE html><title>Login</title>") },
		"another file": func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.ToUpper(content)) },
		"short file":   func(w http.ResponseWriter, _ *http.Request) { w.Write(content[:1000]) },
		"longer file": func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			w.Write(content)
			w.Write(content)
		},
		"loop":  func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) },
		"break": func(w http.ResponseWriter, _ *http.Request) { w.Write(content[:999]); panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			bad := serve(t, h)
			if place := fetch(t, fetcher(), request(bad.URL, ok.URL)); place != ok.URL {
				t.Errorf("it came from %s", place)
			}
		})
	}
}

func TestFetchErrors(t *testing.T) {
	answer := func(code int) func(w http.ResponseWriter, _ *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	t.Run("missing", func(t *testing.T) {
		fails[*NotFoundError](t, fetcher(), request(serve(t, answer(404)).URL))
	})
	t.Run("unauthorized", func(t *testing.T) {
		err := fails[*StatusError](t, fetcher(), request(serve(t, answer(401)).URL))
		if err.Code != 401 || !strings.Contains(err.Error(), "username") {
			t.Error(err)
		}
	})
	t.Run("html", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "\n <HTML>"+strings.Repeat(" ", 2<<20)) })
		err := fails[*ContentError](t, fetcher(), request(s.URL))
		if !strings.Contains(err.Error(), "HTML") {
			t.Error(err)
		}
	})
	t.Run("head", func(t *testing.T) {
		r := request(serve(t, good).URL)
		r.Head = func(first []byte) string {
			if len(first) != 512 {
				t.Errorf("%d bytes", len(first))
			}
			return "a sonnet"
		}
		fails[*ContentError](t, fetcher(), r)
	})
	t.Run("checksum", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.ToUpper(content)) })
		if err := fails[*ChecksumError](t, fetcher(), request(s.URL)); err.Kind != "sha256" {
			t.Error(err)
		}
	})
	t.Run("size", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(content[:99]) })
		if err := fails[*ChecksumError](t, fetcher(), request(s.URL)); err.Kind != "size" || err.Got != "99" {
			t.Error(err)
		}
	})
	t.Run("too large", func(t *testing.T) {
		r := Request{What: "it", Places: []string{serve(t, good).URL}, Limit: 1000}
		if err := fails[*TooLargeError](t, fetcher(), r); err.Limit != 1000 {
			t.Error(err)
		}
	})
	t.Run("redirects", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusMovedPermanently) })
		fails[*RedirectError](t, fetcher(), request(s.URL))
	})
	t.Run("check", func(t *testing.T) {
		var asked []string
		a, b := serve(t, good), serve(t, good)
		r := request(a.URL, b.URL)
		r.Check = func(place string) error {
			asked = append(asked, place)
			return errors.New("it does not please")
		}
		if err := fails[*Error](t, fetcher(), r); len(err.Causes) != 2 || len(asked) != 2 {
			t.Error(err, asked)
		}
	})
	t.Run("nowhere", func(t *testing.T) { fails[*Error](t, fetcher(), request()) })
}

func TestFetchOffline(t *testing.T) {
	f := fetcher()
	f.Offline = true
	err := fails[*OfflineError](t, f, request("/missing", "https://example.invalid/file"))
	if want := "the file is not in the cache"; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// A server that stops, and one that drips, are left.
func TestFetchStall(t *testing.T) {
	for name, drip := range map[string]time.Duration{"hang": time.Hour, "drip": 20 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			bad := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", fmt.Sprint(len(content)))
				for i := 0; ; i++ {
					w.Write(content[i : i+1])
					w.(http.Flusher).Flush()
					select {
					case <-r.Context().Done():
						return
					case <-time.After(drip):
					}
				}
			})
			f := fetcher()
			f.Stall, f.Attempts = 200*time.Millisecond, 1
			fails[*StallError](t, f, request(bad.URL))
			f.Attempts = 10 // the good one may be slow, too, on a machine that has much to do
			fetch(t, f, request(bad.URL, serve(t, good).URL))
		})
	}
}

func TestFetchCancelled(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	var buf Buffer
	if _, err := fetcher().Fetch(ctx, request(s.URL), &buf); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

type fullDisk struct{ Buffer }

var errFull = errors.New("no space left")

func (*fullDisk) Write([]byte) (int, error) { return 0, errFull }

// A failure of this machine is not blamed on mirrors.
func TestFetchFullDisk(t *testing.T) {
	var requests atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { requests.Add(1); good(w, r) })
	_, err := fetcher().Fetch(t.Context(), request(s.URL, s.URL), &fullDisk{})
	if !errors.Is(err, errFull) || requests.Load() != 1 {
		t.Errorf("%v after %d requests", err, requests.Load())
	}
}

// The password goes to the repository's own hosts, and nowhere else.
func TestFetchCredentials(t *testing.T) {
	var user, password string
	own := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ = r.BasicAuth()
		good(w, r)
	})
	f := fetcher()
	f.Username, f.Password, f.Hosts = "ada", "secret", []string{strings.TrimPrefix(own.URL, "http://")}
	fetch(t, f, request(own.URL))
	if user != "ada" || password != "secret" {
		t.Errorf("got %q, %q", user, password)
	}

	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("another host got the password")
		}
		good(w, r)
	})
	fetch(t, f, request(other.URL))
	own.Config.Handler = http.RedirectHandler(strings.Replace(other.URL, "127.0.0.1", "localhost", 1), http.StatusFound)
	fetch(t, f, request(own.URL))
}

// From https to http one goes only when the content is checked, and never with a password.
func TestFetchDowngrade(t *testing.T) {
	plain := serve(t, good)
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	t.Cleanup(secure.Close)
	f := fetcher()
	f.Client = secure.Client()
	fetch(t, f, request(secure.URL))

	fails[*RedirectError](t, f, Request{What: "it", Places: []string{secure.URL}})
	fetch(t, f, Request{What: "it", Places: []string{secure.URL}, Checked: true})
	fails[*RedirectError](t, f, request(strings.Replace(secure.URL, "://", "://ada:secret@", 1)))
}

func TestErrorsHideSecrets(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/missing":
			w.WriteHeader(404)
		case "/loop":
			http.Redirect(w, r, r.URL.String(), http.StatusFound)
		case "/html":
			fmt.Fprint(w, "<html>")
		case "/break":
			w.Write(content[:999])
			panic(http.ErrAbortHandler)
		default:
			w.Write(content[:99])
		}
	})
	f := fetcher()
	f.Attempts = 1
	host := strings.Replace(s.URL, "://", "://ada:hunter2@", 1)
	for _, path := range []string{"/missing", "/loop", "/html", "/break", "/wrong", ":99999/"} {
		err := fails[*Error](t, f, request(host+path+"?token=hunter2"))
		if strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "ada:xxxxx@") && path != ":99999/" {
			t.Errorf("%s: %v", path, err)
		}
	}
	err := fails[*Error](t, f, request("http://ada:hunter2@no-such-host.invalid/?token=hunter2"))
	if strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}
