package registry

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/google/renameio/v2"
	"github.com/sirupsen/logrus"
)

// Embedded is a registry kept in a folder. The fields are set before Start and not changed after it; the methods are safe
// for concurrent use.
type Embedded struct {
	Root string // the folder; made when it is not there
	// Log hears of requests that failed on the registry's side; nil discards.
	Log *slog.Logger
	// AllowRemote permits addresses other than loopback. There is no authentication: only for a trusted network.
	AllowRemote bool

	mu      sync.Mutex
	app     *handlers.App
	id      string
	handler http.Handler
	stop    func()
	done    chan struct{}
}

// idHeader carries, in every answer, which folder a registry serves.
const idHeader = "Slipway-Registry"

// Start serves on addr ("127.0.0.1:5055"; "" is a free port of 127.0.0.1) and returns the address in use. When another
// process serves the same folder there, its registry is used as long as it lives, and this one takes over when it ends.
// Serving ends with Close or with ctx.
func (e *Embedded) Start(ctx context.Context, addr string) (string, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("starting the registry on %q: %w; write it as 127.0.0.1:5055", addr, err)
	}
	if !e.AllowRemote && !loopback(host) {
		return "", fmt.Errorf("starting the registry on %s: it knows no logins, so it listens on loopback only", addr)
	}
	handler, err := e.Handler()
	if err != nil {
		return "", err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stop != nil {
		return "", errors.New("starting the registry: it is running already")
	}
	if !e.AllowRemote {
		handler = localOnly(handler)
	}
	s := &service{
		addr: addr, id: e.id, log: e.log(),
		server: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: 30 * time.Second,
			IdleTimeout:       2 * time.Minute,
			ErrorLog:          slog.NewLogLogger(e.log().Handler(), slog.LevelDebug),
		},
	}
	listener, err := s.listen(ctx)
	if err != nil {
		return "", fmt.Errorf("starting the registry on %s: %w", addr, err)
	}
	ctx, e.stop = context.WithCancel(ctx)
	e.done = make(chan struct{})
	go func() {
		defer close(e.done)
		s.run(ctx, listener)
	}()
	go e.purge(ctx)
	if listener != nil {
		addr = listener.Addr().String()
	}
	return addr, nil
}

// Close stops serving once requests under way have ended, and after a few seconds in any case. A closed registry can be
// started again.
func (e *Embedded) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stop != nil {
		e.stop()
		<-e.done
		e.stop = nil
	}
	if e.app != nil {
		err := e.app.Shutdown()
		e.app, e.handler = nil, nil
		return err
	}
	return nil
}

// Handler is the registry's HTTP API, for a server of the caller's own.
func (e *Embedded) Handler() (http.Handler, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.handler != nil {
		return e.handler, nil
	}
	if err := os.MkdirAll(e.Root, 0o755); err != nil {
		return nil, fmt.Errorf("making the registry's folder: %w", err)
	}
	secret, err := secret(filepath.Join(e.Root, "secret"))
	if err != nil {
		return nil, err
	}
	e.id = identify(secret)
	quiet()
	e.app = handlers.NewApp(context.Background(), &configuration.Configuration{
		Version: configuration.CurrentVersion,
		// Processes that serve the same folder share the secret, so that an upload begun with one can end with another.
		HTTP: configuration.HTTP{Secret: secret, RelativeURLs: true},
		Storage: configuration.Storage{
			"filesystem":  configuration.Parameters{"rootdirectory": e.Root},
			"delete":      configuration.Parameters{"enabled": true},
			"maintenance": configuration.Parameters{"uploadpurging": map[any]any{"enabled": false}},
		},
	})
	e.handler = e.watch(e.app)
	return e.handler, nil
}

func (e *Embedded) log() *slog.Logger {
	if e.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return e.Log
}

// watch marks answers with the folder's id and logs those that are the registry's own failures, with what it says about them.
func (e *Embedded) watch(next http.Handler) http.Handler {
	id, log := e.id, e.log()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(idHeader, id)
		recorder := &recorder{ResponseWriter: w}
		next.ServeHTTP(recorder, r)
		if recorder.status >= http.StatusInternalServerError {
			log.Error("registry request failed", "method", r.Method, "path", r.URL.Path, "status", recorder.status, "answer", printable(string(recorder.said)))
		}
	})
}

// localOnly refuses requests for another host's name. They come from a browser
// that was told that the name is an address of this machine (DNS rebinding), on
// behalf of a site that wants to see or change what is here.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if !loopback(strings.Trim(host, "[]")) {
			http.Error(w, "this registry is for this machine only: call it 127.0.0.1 or localhost", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// recorder keeps the status and the beginning of an answer that reports a failure.
type recorder struct {
	http.ResponseWriter
	status int
	said   []byte
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) WriteHeader(status int) {
	if r.status < http.StatusOK { // nothing, or an interim answer
		r.status = status
		r.ResponseWriter.WriteHeader(status)
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status >= http.StatusInternalServerError && len(r.said) < 1024 {
		r.said = append(r.said, p[:min(len(p), 1024)]...)
	}
	return r.ResponseWriter.Write(p)
}

// ReadFrom lets blobs go from file to socket without being copied through the process.
func (r *recorder) ReadFrom(src io.Reader) (int64, error) { return io.Copy(r.ResponseWriter, src) }

// quiet keeps the registry's own log, which it writes with logrus to stderr, off the terminal.
var quiet = sync.OnceFunc(func() { logrus.SetOutput(io.Discard) })

// secret reads the folder's secret, or makes it. Of several processes that make it, one wins.
func secret(path string) (string, error) {
	if data, err := os.ReadFile(path); err == nil && len(data) > 0 {
		return string(data), nil
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("reading the registry's secret: %w", err)
	}
	bytes := make([]byte, 32)
	rand.Read(bytes)
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o600))
	if err != nil {
		return "", fmt.Errorf("making the registry's secret: %w", err)
	}
	defer func() { _ = file.Cleanup() }() // what is left is of no use
	if _, err := file.WriteString(hex.EncodeToString(bytes)); err != nil {
		return "", fmt.Errorf("making the registry's secret: %w", err)
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, syscall.EEXIST) {
		return "", fmt.Errorf("making the registry's secret: %w", err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading the registry's secret: %w", err)
	}
	return string(data), nil
}
