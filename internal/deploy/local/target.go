package local

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/slipway-build/slipway/internal/deploy"
)

// Target runs releases on this machine. It is safe for concurrent use.
type Target struct {
	// State is the directory of everything durable: a directory for each
	// service, with one for each environment in it.
	State  string
	Images Images
	// Log receives what is not for the user; nil discards it.
	Log *slog.Logger
}

var _ deploy.Target = (*Target)(nil)

// Apply implements deploy.Target.
func (t *Target) Apply(ctx context.Context, release deploy.Release) (deploy.Result, error) {
	return deploy.Result{}, errors.ErrUnsupported
}

// Status implements deploy.Target.
func (t *Target) Status(ctx context.Context, service, environment string) (deploy.Status, error) {
	return deploy.Status{}, errors.ErrUnsupported
}

// Logs implements deploy.Target.
func (t *Target) Logs(ctx context.Context, request deploy.LogRequest, w io.Writer) error {
	return errors.ErrUnsupported
}

// Down implements deploy.Target.
func (t *Target) Down(ctx context.Context, service, environment string) error {
	return errors.ErrUnsupported
}

// Main takes over when the running process was started as a supervisor, and then
// never returns; otherwise it does nothing. Call it after sandbox.Main and before
// anything else in main and in TestMain.
func Main() {}
