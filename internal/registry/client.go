package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// client speaks to one repository.
type client struct {
	repo     name.Repository
	http     *http.Client
	login    bool // credentials are sent
	log      *slog.Logger
	patience patience
}

// sharedTransport keeps connections between calls; http.Transport is safe for concurrent use.
var sharedTransport http.RoundTripper = &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	DialContext:           (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
	ForceAttemptHTTP2:     true,
	MaxIdleConnsPerHost:   16,
	IdleConnTimeout:       90 * time.Second,
	TLSHandshakeTimeout:   10 * time.Second,
	ExpectContinueTimeout: time.Second,
}

// parse reads a reference; what it names by default (registry, tag "latest") is not wanted.
func parse(ref string, o Options) (name.Reference, error) {
	options := []name.Option{name.WithDefaultTag(""), name.WithDefaultRegistry("")}
	if o.Insecure {
		options = append(options, name.Insecure)
	}
	parsed, err := name.ParseReference(ref, options...)
	if err == nil && parsed.Context().RegistryStr() == "" {
		err = errors.New("it names no registry")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the image reference %q: %w; write it as host/repository:tag", ref, err)
	}
	return parsed, nil
}

// connect makes a client that may do action (transport.PullScope, PushScope) where ref is, and pull from the others. op is
// what it is for, for errors.
func connect(ctx context.Context, op string, ref name.Reference, action string, others []string, o Options) (*client, error) {
	repo := ref.Context()
	auth, err := authn.Resolve(ctx, o.keychain(), repo)
	if err != nil {
		return nil, fmt.Errorf("%s %s: looking for the login for %s: %w", op, ref, repo.RegistryStr(), err)
	}
	base := o.Transport
	if base == nil {
		base = sharedTransport
	}
	scopes := []string{repo.Scope(action)}
	for _, other := range others {
		scopes = append(scopes, repo.Registry.Repo(other).Scope(transport.PullScope))
	}
	c := &client{repo: repo, log: o.log(), patience: o.patience.withDefaults(), login: auth != authn.Anonymous}
	err = c.retry(ctx, "ping", func() error {
		attempt, _, release := watch(ctx, c.patience.stall)
		defer release()
		t, err := transport.NewWithContext(attempt, repo.Registry, auth, guard{base, o.Insecure}, scopes)
		c.http = &http.Client{Transport: t}
		return err
	})
	if err != nil {
		return nil, c.fail(op, ref.String(), err)
	}
	return c, nil
}

func (c *client) retry(ctx context.Context, what string, f func() error) error {
	return c.patience.retry(ctx, c.log, what+" "+c.repo.String(), f)
}

// url is the address of a path below the repository's.
func (c *client) url(format string, parts ...any) *url.URL {
	return &url.URL{
		Scheme: c.repo.Scheme(), // corrected by the transport to what the ping found
		Host:   c.repo.RegistryStr(),
		Path:   "/v2/" + c.repo.RepositoryStr() + fmt.Sprintf(format, parts...),
	}
}

// do sends a request and turns an answer that is not among the wanted into an error. The caller closes the body.
func (c *client) do(req *http.Request, want ...int) (*http.Response, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		if cause := context.Cause(req.Context()); cause != nil {
			err = cause
		}
		return nil, err
	}
	if err := transport.CheckError(resp, want...); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// drain ends with a response whose body is of no interest, so that its connection is used again.
func drain(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	resp.Body.Close()
}

// fail makes the error that callers see.
func (c *client) fail(op, ref string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s %s: %w", op, ref, err)
	}
	return &Error{Op: op, Ref: ref, Host: c.repo.RegistryStr(), Reason: reason(err), Login: c.login, Err: tidy(err)}
}

// guard refuses plain HTTP to anything but loopback, wherever the request comes from: a reference, a redirect, or the
// address that a registry gave for an upload or a token.
type guard struct {
	http.RoundTripper
	insecure bool
}

func (g guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "http" && !g.insecure && !loopback(req.URL.Hostname()) {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, errPlainHTTP
	}
	resp, err := g.RoundTripper.RoundTrip(req)
	if err != nil && !errors.Is(err, http.ErrSchemeMismatch) {
		if cause := context.Cause(req.Context()); cause != nil {
			err = cause
		}
		err = &tripError{err}
	}
	return resp, err
}

// loopback tells whether host can only be this machine.
func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
