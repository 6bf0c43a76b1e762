package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// startForwards begins to forward, in process 1.
func startForwards(forwards []wireForward) error {
	var outward []wireForward
	for _, f := range forwards {
		if f.Direction == Outward {
			outward = append(outward, f)
			continue
		}
		file := os.NewFile(uintptr(f.FD), f.Name)
		listener, err := net.FileListener(file)
		file.Close()
		if err != nil {
			return fmt.Errorf("forwarding to %s: %w", f.Address, err)
		}
		go serve(listener, maxInward, func() (net.Conn, error) { return new(net.Dialer).DialContext(context.Background(), "tcp", f.Address) })
	}
	if len(outward) == 0 {
		return nil
	}
	listeners, err := outwardListeners(outward)
	if err != nil {
		return err
	}
	for i, f := range outward {
		// The directory stays open, so that a socket can be made anew in it.
		socket := fdPath(f.FD) + "/" + f.Name
		go serve(listeners[i], maxOutward, func() (net.Conn, error) { return new(net.Dialer).DialContext(context.Background(), "unix", socket) })
	}
	return nil
}

// How many connections a forward carries at a time; further ones wait. Process 1
// and whoever is at the other end pay for each of them, and are not what limits of
// the sandbox's memory and files apply to: so what the command itself can open is
// kept to what a server may need of another one.
const (
	maxInward  = 64 << 10
	maxOutward = 1024
)

// serve forwards the connections made to listener, as many as limit at a time.
func serve(listener net.Listener, limit int, dial func() (net.Conn, error)) {
	slots := make(chan struct{}, limit)
	for {
		slots <- struct{}{}
		in, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // for want of file descriptors, say
			<-slots
			time.Sleep(10 * time.Millisecond)
			continue
		}
		go func() {
			defer func() { <-slots }()
			defer in.Close()
			out, err := dial()
			if err != nil {
				return // closing the connection is the answer
			}
			defer out.Close()
			join(in, out)
		}()
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
