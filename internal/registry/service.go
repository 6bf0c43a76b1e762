package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"
)

// service serves one address, alone or in turn with other processes that serve the same folder.
type service struct {
	addr   string
	id     string
	log    *slog.Logger
	server *http.Server
}

// shutdownGrace is how long requests under way may take when serving ends.
const shutdownGrace = 5 * time.Second

// listen takes the address. The listener is nil where another process serves the same folder there.
func (s *service) listen(ctx context.Context) (net.Listener, error) {
	for {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.addr)
		if err == nil || !errors.Is(err, syscall.EADDRINUSE) {
			return listener, err
		}
		same, askErr := s.ask(ctx)
		switch {
		case askErr == nil && same:
			return nil, nil
		case errors.Is(askErr, syscall.ECONNREFUSED) || errors.Is(askErr, syscall.ECONNRESET):
			// it ended between the two calls: take the address
		case askErr != nil:
			return nil, fmt.Errorf("the address is in use: %w", askErr)
		default:
			return nil, errors.New("the address is in use by another program; name another one")
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
}

// ask finds out whether whoever listens on the address serves the same folder.
func (s *service) ask(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/v2/", nil)
	if err != nil {
		return false, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return false, err
	}
	drain(resp)
	return resp.Header.Get(idHeader) == s.id, nil
}

// run serves until ctx ends. Without a listener it waits for the address to be free.
func (s *service) run(ctx context.Context, listener net.Listener) {
	if listener == nil {
		if listener = s.await(ctx); listener == nil {
			return
		}
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
		defer cancel()
		if s.server.Shutdown(grace) != nil {
			_ = s.server.Close() // what did not end in time is cut off
		}
	}()
	if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("the registry stopped serving", "address", s.addr, "error", err)
	}
	<-stopped
}

// await tries to take the address until ctx ends.
func (s *service) await(ctx context.Context) net.Listener {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.addr); err == nil {
				s.log.Debug("the registry takes over from another process", "address", s.addr)
				return listener
			}
		}
	}
}

// identify makes the id that tells folders apart, without giving the secret away.
func identify(secret string) string {
	sum := sha256.Sum256([]byte("slipway registry id\n" + secret))
	return hex.EncodeToString(sum[:8])
}
