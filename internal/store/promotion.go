package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-build/slipway/internal/release"
)

// lost is the message of promotions whose process has gone without ending them.
const lost = "the process that ran it was killed, or the machine was restarted"

// Begin implements release.Records.
func (s *Store) Begin(ctx context.Context, p *release.Promotion) (err error) {
	h, err := s.try(environment(p.Service, p.Environment))
	if err != nil {
		return err
	}
	if h == nil {
		return s.busy(ctx, p.Service, p.Environment)
	}
	number, err := s.begin(ctx, p)
	if err != nil {
		h.release()
		return fmt.Errorf("recording promotion to %s: %w", p.Environment, explain(err))
	}
	p.Number, p.State = number, release.Running
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[number] = h
	return nil
}

// begin ends what was left running, now that we hold the environment's lock, and adds p.
func (s *Store) begin(ctx context.Context, p *release.Promotion) (int64, error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }()
	var known bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM snapshot WHERE service = ? AND id = ?)`, p.Service, p.Snapshot).Scan(&known); err != nil {
		return 0, err
	}
	if !known {
		return 0, fmt.Errorf("snapshot %q of %s: %w", p.Snapshot, p.Service, release.ErrNoRecord)
	}
	_, err = tx.ExecContext(ctx, `UPDATE promotion SET state = ?, message = ?, ended = ? WHERE service = ? AND environment = ? AND state = ?`,
		release.Aborted, lost, stamp(p.Began), p.Service, p.Environment, release.Running)
	if err != nil {
		return 0, err
	}
	r, err := tx.ExecContext(ctx, `INSERT INTO promotion (service, environment, snapshot, state, actor, reason, message, began, ended)
		VALUES (?, ?, ?, ?, ?, ?, '', ?, '')`, p.Service, p.Environment, p.Snapshot, release.Running, p.Actor, p.Reason, stamp(p.Began))
	if err != nil {
		return 0, err
	}
	number, err := r.LastInsertId()
	if err != nil {
		return 0, err
	}
	return number, tx.Commit()
}

// busy tells which promotion is in the way.
func (s *Store) busy(ctx context.Context, service, env string) error {
	list, err := s.Promotions(ctx, service, env, 1)
	if err != nil {
		return err
	}
	b := &release.BusyError{Environment: env}
	if len(list) > 0 && list[0].State == release.Running {
		b.Running = &list[0]
	}
	return b
}

// End implements release.Records.
func (s *Store) End(ctx context.Context, number int64, state release.State, message string, at time.Time) error {
	if !state.Terminal() {
		return fmt.Errorf("ending promotion %d: %s is not an end", number, state)
	}
	r, err := s.db.ExecContext(ctx, `UPDATE promotion SET state = ?, message = ?, ended = ? WHERE number = ? AND state = ?`,
		state, message, stamp(at), number, release.Running)
	// Whether or not that could be written: it runs no more.
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.held[number]; h != nil {
		h.release()
		delete(s.held, number)
	}
	if err != nil {
		return fmt.Errorf("ending promotion %d: %w", number, explain(err))
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, fmt.Errorf("ending promotion %d: it is not running", number))
	}
	return nil
}

// Promotions implements release.Records.
func (s *Store) Promotions(ctx context.Context, service, env string, limit int) ([]release.Promotion, error) {
	list, err := s.promotions(ctx, service, env, limit)
	if err == nil && len(list) > 0 && list[0].State == release.Running {
		var runs bool
		if runs, err = s.taken(environment(service, env)); err == nil && !runs {
			// It may have ended while we looked; its end is written before its lock is let go.
			if list, err = s.promotions(ctx, service, env, limit); err == nil {
				abortLost(list)
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("listing promotions of %s: %w", env, explain(err))
	}
	return list, nil
}

// abortLost shows promotions that nobody runs as what they are. The next one that begins writes it
// down.
func abortLost(list []release.Promotion) {
	for i := range list {
		if list[i].State == release.Running {
			list[i].State, list[i].Message = release.Aborted, lost
		}
	}
}

func (s *Store) promotions(ctx context.Context, service, env string, limit int) ([]release.Promotion, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT number, service, environment, snapshot, state, actor, reason, message, began, ended
		FROM promotion WHERE service = ? AND environment = ? ORDER BY number DESC LIMIT ?`, service, env, max(0, limit))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []release.Promotion
	for rows.Next() {
		p, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

func scan(rows *sql.Rows) (p release.Promotion, err error) {
	var began, ended string
	if err := rows.Scan(&p.Number, &p.Service, &p.Environment, &p.Snapshot, &p.State, &p.Actor, &p.Reason, &p.Message, &began, &ended); err != nil {
		return p, err
	}
	if p.Began, err = time.Parse(time.RFC3339Nano, began); err != nil {
		return p, fmt.Errorf("promotion %d: %w", p.Number, err)
	}
	if ended != "" {
		if p.Ended, err = time.Parse(time.RFC3339Nano, ended); err != nil {
			return p, fmt.Errorf("promotion %d: %w", p.Number, err)
		}
	}
	return p, nil
}

// environment names the lock of an environment.
func environment(service, env string) string { return service + "@" + env }
