package local

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/sandbox"
)

// A client that never closes its side must not keep connections, and what goes
// with them, beyond the life of the instance it spoke to.
func TestSilentClientIsLetGo(t *testing.T) {
	backend, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	in := &instance{socket: backend.Addr().String(), process: new(sandbox.Process), done: make(chan struct{})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := newFront(listener, slog.New(slog.DiscardHandler))
	defer f.close()
	p := newPool([]*instance{in}, false)
	f.pool.Store(p)

	client, err := net.Dial("tcp", f.address())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := backend.Accept()
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	close(in.done)
	for range 200 {
		p.mu.Lock()
		active := p.active
		p.mu.Unlock()
		if active == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the connection is still being forwarded")
}

// failing is a listener that has run out of something.
type failing struct {
	net.Listener
	left int
}

func (l *failing) Accept() (net.Conn, error) {
	if l.left--; l.left < 0 {
		return nil, net.ErrClosed
	}
	return nil, errors.New("too many open files")
}

func TestAcceptErrorsDoNotFillTheLog(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	f := newFront(&failing{listener, 5}, slog.New(slog.NewTextHandler(&log, nil)))
	for range 5 {
		time.Sleep(60 * time.Millisecond)
	}
	f.close()
	if n := bytes.Count(log.Bytes(), []byte("too many open files")); n != 1 {
		t.Errorf("%d lines:\n%s", n, log.Bytes())
	}
}
