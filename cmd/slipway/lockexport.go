package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/renameio/v2"

	"github.com/slipway-build/slipway/internal/lock"
)

// exportLock writes the lock as an rpms.lock.yaml.
func (a *app) exportLock(ctx context.Context, s *session, q lockQuery) error {
	l, err := lock.Load(s.LockPath())
	if err != nil {
		return fmt.Errorf("%w (slipway lock makes it)", err)
	}
	var targets []*lock.Target
	var names []string
	for i := range l.Targets {
		names = append(names, l.Targets[i].Name)
		if q.target == "" || q.target == l.Targets[i].Name {
			targets = append(targets, &l.Targets[i])
		}
	}
	if q.target != "" && !slices.Contains(names, q.target) {
		return usageError{fmt.Errorf("--target %s: %s has %s", q.target, lock.FileName, orDash(names))}
	}
	data, err := s.ExportRPMs(ctx, targets)
	if err != nil {
		return err
	}
	if q.export == "-" {
		_, err = a.out.Write(data)
		return err
	}
	if err := renameio.WriteFile(q.export, data, 0o644); err != nil {
		return fmt.Errorf("writing %s: %w", q.export, err)
	}
	return nil
}
