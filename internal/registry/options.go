package registry

import (
	"log/slog"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipway-build/slipway/internal/progress"
)

// Options says how to talk to a registry, and what to do besides. The zero value is useful.
type Options struct {
	// Tags are moved to the pushed image once all of it is there, in this order. The tag in the reference, if there is
	// one, comes first.
	Tags []string
	// Mount lists repositories of the same registry ("greeter/base") where blobs may already be; tried in order.
	Mount []string
	// Known are blobs that the repository is known to hold: they are not even asked for. When that turns out to be wrong,
	// the push is done again without the assumption.
	Known []v1.Hash
	// Platform picks an image out of an index; nil is linux on this machine's architecture.
	Platform *v1.Platform
	// Insecure allows plain HTTP to hosts other than loopback.
	Insecure bool
	// Transport carries the requests; nil is one that all calls of this package share.
	Transport http.RoundTripper
	// Keychain finds credentials; nil is what docker and podman keep.
	Keychain authn.Keychain
	// Progress hears of bytes sent; nil discards.
	Progress progress.Reporter
	// Log hears of requests that are tried again; nil discards.
	Log *slog.Logger

	patience patience
}

func (o Options) log() *slog.Logger {
	if o.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Log
}

func (o Options) keychain() authn.Keychain {
	if o.Keychain == nil {
		return authn.DefaultKeychain
	}
	return o.Keychain
}
