package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/slipway-build/slipway/internal/deploy"
)

// protocol is the version of what follows. A supervisor may have been started by
// an older slipway than the one that speaks to it.
const protocol = 1

const protocolHeader = "Slipway-Protocol"

// applyRequest is the body of POST /apply.
type applyRequest struct {
	Release deploy.Release  `json:"release"`
	Roots   map[string]Root `json:"roots"` // by image reference
}

// reply is the body of every answer.
type reply struct {
	Result  *deploy.Result       `json:"result,omitempty"`
	Status  *deploy.Status       `json:"status,omitempty"`
	Rollout *deploy.RolloutError `json:"rollout,omitempty"`
	Busy    *deploy.BusyError    `json:"busy,omitempty"`
	Ending  bool                 `json:"ending,omitempty"` // as if nobody had answered
	Error   string               `json:"error,omitempty"`
}

// err turns a reply's error back into the supervisor's.
func (r reply) err() error {
	switch {
	case r.Rollout != nil:
		return r.Rollout
	case r.Busy != nil:
		return r.Busy
	case r.Ending:
		return errNoSupervisor
	case r.Error != "":
		return errors.New(r.Error)
	}
	return nil
}

func errorReply(err error) reply {
	var r reply
	if errors.As(err, &r.Rollout) || errors.As(err, &r.Busy) {
		return r
	}
	r.Ending = errors.Is(err, errEnding)
	r.Error = err.Error()
	return r
}

// handler serves the supervisor's control socket.
func (s *supervisor) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /apply", func(w http.ResponseWriter, r *http.Request) {
		var request applyRequest
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			answer(w, errorReply(fmt.Errorf("reading the request: %w", err)))
			return
		}
		result, err := s.apply(r.Context(), request)
		if err != nil {
			answer(w, errorReply(err))
			s.endIfIdle()
			return
		}
		answer(w, reply{Result: &result})
	})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		status := s.status()
		answer(w, reply{Status: &status})
	})
	mux.HandleFunc("POST /down", func(w http.ResponseWriter, _ *http.Request) {
		s.down()
		answer(w, reply{})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(protocolHeader) != fmt.Sprint(protocol) && r.URL.Path != "/down" {
			answer(w, reply{Error: "the supervisor was started by another version of slipway: run slipway down, then deploy again"})
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, r reply) {
	w.Header().Set("Content-Type", "application/json")
	// Whoever asked may be gone; there is nobody else to tell.
	_ = json.NewEncoder(w).Encode(r)
}

// errEnding is what a supervisor answers that is about to end.
var errEnding = errors.New("this supervisor is ending")

// errNoSupervisor is a call that nobody was there to answer, so nothing happened.
var errNoSupervisor = errors.New("no supervisor")

// errHungUp is a call that was cut off: the supervisor was just ending, or was
// killed.
var errHungUp = errors.New("the supervisor ended without an answer")

// call asks the supervisor of h.
func (h home) call(ctx context.Context, method, path string, body any) (reply, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return reply{}, err
	}
	conn, err := h.dial(ctx)
	if err != nil {
		return reply{}, fmt.Errorf("%w: %w", errNoSupervisor, err)
	}
	defer conn.Close()
	client := http.Client{Transport: &http.Transport{
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return conn, nil },
		DisableKeepAlives: true,
	}}
	request, err := http.NewRequestWithContext(ctx, method, "http://supervisor"+path, bytes.NewReader(data))
	if err != nil {
		return reply{}, err
	}
	request.Header.Set(protocolHeader, fmt.Sprint(protocol))
	response, err := client.Do(request)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return reply{}, cause
		}
		if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
			return reply{}, fmt.Errorf("%w (its log is %s)", errHungUp, h.supervisorLog())
		}
		return reply{}, fmt.Errorf("asking the supervisor: %w (its log is %s)", err, h.supervisorLog())
	}
	defer response.Body.Close()
	var r reply
	if err := json.NewDecoder(io.LimitReader(response.Body, 16<<20)).Decode(&r); err != nil {
		return reply{}, fmt.Errorf("reading the supervisor's answer: %w (its log is %s)", err, h.supervisorLog())
	}
	return r, r.err()
}

// serve answers on the control socket until the supervisor ends.
func (s *supervisor) serve(listener net.Listener) error {
	server := http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		<-s.ending
		// Answers that are being written are finished.
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("answering commands: %w", err)
	}
	<-answered
	return nil
}
