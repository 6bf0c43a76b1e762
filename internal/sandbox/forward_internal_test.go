package sandbox

import (
	"errors"
	"net"
	"sync"
	"testing"
)

// eager is a listener to which somebody always connects, until the connections
// run out.
type eager struct {
	net.Listener
	left int
}

func (l *eager) Accept() (net.Conn, error) {
	if l.left--; l.left < 0 {
		return nil, net.ErrClosed
	}
	conn, _ := net.Pipe()
	return conn, nil
}

func TestForwardedConnectionsAreLimited(t *testing.T) {
	const limit, all = 3, 20
	var mu sync.Mutex
	active, most, dialled := 0, 0, 0
	full := make(chan struct{}, all)
	release := make(chan struct{})
	served := make(chan struct{})
	go func() {
		defer close(served)
		serve(&eager{left: all}, limit, func() (net.Conn, error) {
			mu.Lock()
			active++
			dialled++
			most = max(most, active)
			mu.Unlock()
			full <- struct{}{}
			<-release
			mu.Lock()
			active--
			mu.Unlock()
			return nil, errors.New("nobody answers")
		})
	}()
	for range limit {
		<-full // as many as may are under way
	}
	close(release)
	<-served
	mu.Lock()
	defer mu.Unlock()
	if most > limit || dialled < all-limit {
		t.Errorf("%d at a time, %d in all", most, dialled)
	}
}
