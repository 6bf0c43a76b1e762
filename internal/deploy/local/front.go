package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// front answers on an address and forwards to the pool that is behind it at the
// time: an HTTP request each where the pool speaks HTTP, else a connection each.
type front struct {
	listener net.Listener
	pool     atomic.Pointer[pool] // nil: nobody is behind it yet
	http     *http.Server
	handover *handover
	log      *slog.Logger
	serving  sync.WaitGroup
}

func newFront(listener net.Listener, log *slog.Logger) *front {
	f := &front{listener: listener, handover: newHandover(listener.Addr()), log: log}
	f.http = &http.Server{
		Handler:           http.HandlerFunc(f.forward),
		ReadHeaderTimeout: time.Minute,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	f.serving.Go(func() { _ = f.http.Serve(f.handover) }) // ends with Close
	f.serving.Go(f.accept)
	return f
}

// close ends the front and every connection that it forwards by HTTP.
func (f *front) close() {
	f.listener.Close()
	f.handover.Close()
	f.http.Close()
	f.serving.Wait()
}

func (f *front) address() string { return f.listener.Addr().String() }

func (f *front) accept() {
	var said time.Time
	for {
		conn, err := f.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // for want of file descriptors, say
			if time.Since(said) > time.Minute { // or it would fill the disk too
				f.log.Warn("accepting connections", "address", f.address(), "error", err)
				said = time.Now()
			}
			time.Sleep(50 * time.Millisecond)
			continue
		}
		if p := f.pool.Load(); p != nil && !p.http {
			go f.splice(conn)
			continue
		}
		f.handover.give(conn)
	}
}

// forward forwards an HTTP request.
func (f *front) forward(w http.ResponseWriter, r *http.Request) {
	in, release, err := f.acquire()
	if err != nil {
		w.Header().Set("Retry-After", "1")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer release()
	proxy := httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: in.name})
			r.SetXForwarded()
			r.Out.Host = r.In.Host
		},
		Transport:     in.transport,
		FlushInterval: -1,
		ErrorLog:      f.http.ErrorLog,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, fmt.Sprintf("%s does not answer: %v", in.name, err), http.StatusBadGateway)
		},
	}
	proxy.ServeHTTP(w, r)
}

// splice forwards a connection.
func (f *front) splice(conn net.Conn) {
	defer conn.Close()
	in, release, err := f.acquire()
	if err != nil {
		return // closing the connection is the answer
	}
	defer release()
	out, err := in.dial(context.Background())
	if err != nil {
		f.log.Debug("forwarding a connection", "to", in.name, "error", err)
		return
	}
	defer out.Close()
	joined := make(chan struct{})
	defer close(joined)
	go func() { // a client that never closes is not waited for when there is nobody to speak to
		select {
		case <-joined:
		case <-in.done:
			conn.Close()
		}
	}()
	join(conn, out)
}

// acquire picks an instance and keeps its pool from being drained until release.
func (f *front) acquire() (in *instance, release func(), err error) {
	for {
		p := f.pool.Load()
		if p == nil {
			return nil, nil, errors.New("nothing is deployed here yet")
		}
		if in, release, err = p.acquire(); !errors.Is(err, errDrained) {
			return in, release, err
		}
		// The front changed over between the two lines, and has another pool.
	}
}

// join copies both ways until both sides have ended. When one direction ends,
// the other may still have an answer to deliver.
func join(a, b net.Conn) {
	var both sync.WaitGroup
	for _, pair := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			_, _ = io.Copy(pair[0], pair[1])
			if half, ok := pair[0].(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
		})
	}
	both.Wait()
}

// pool is the instances of a workload.
type pool struct {
	http      bool
	instances []*instance

	mu       sync.Mutex
	next     int
	active   int
	draining bool
	idle     chan struct{} // closed when draining and none are active
}

var errDrained = errors.New("no longer in use")

func newPool(instances []*instance, http bool) *pool {
	return &pool{http: http, instances: instances, idle: make(chan struct{})}
}

// acquire picks the instances in turn: of those that are ready, else of those
// that at least run.
func (p *pool) acquire() (*instance, func(), error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.draining {
		return nil, nil, errDrained
	}
	p.next++
	for _, suitable := range []func(*instance) bool{(*instance).ready, (*instance).running} {
		for i := range p.instances {
			in := p.instances[(p.next+i)%len(p.instances)]
			if suitable(in) {
				p.active++
				return in, p.release, nil
			}
		}
	}
	return nil, nil, fmt.Errorf("%s is not running at the moment", p.instances[0].workload.Name)
}

func (p *pool) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active--
	if p.draining && p.active == 0 {
		close(p.idle)
	}
}

// drain lets nobody in any more and waits for those inside until ctx ends.
func (p *pool) drain(ctx context.Context) {
	p.mu.Lock()
	if !p.draining && p.active == 0 {
		close(p.idle)
	}
	p.draining = true
	p.mu.Unlock()
	select {
	case <-p.idle:
	case <-ctx.Done():
	}
}

// handover is a net.Listener of connections that somebody else accepts.
type handover struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newHandover(addr net.Addr) *handover {
	return &handover{addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (h *handover) give(conn net.Conn) {
	select {
	case h.conns <- conn:
	case <-h.closed:
		conn.Close()
	}
}

// Accept implements net.Listener.
func (h *handover) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *handover) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// Addr implements net.Listener.
func (h *handover) Addr() net.Addr { return h.addr }
