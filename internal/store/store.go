// Package store keeps the records of releases in an SQL database: snapshots and promotions.
//
// It is SQLite in a file (write-ahead log, every commit on the disk), made and brought up to the
// current schema when it is opened. It may be opened by several processes; writers wait for each
// other. A Store is safe for concurrent use and implements release.Records.
package store

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/slipway-build/slipway/internal/release"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is an open database.
type Store struct{ db *sql.DB }

var _ release.Records = (*Store)(nil)

// Open opens the database at path, made where it does not exist.
func Open(ctx context.Context, path string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("opening records: %w", err)
	}
	params := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: params.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("opening records: %w", err)
	}
	if err := migrate(ctx, db); err != nil {
		db.Close()
		return nil, fmt.Errorf("opening records %s: %w", path, err)
	}
	return &Store{db: db}, nil
}

func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// AddSnapshot implements release.Records.
func (s *Store) AddSnapshot(ctx context.Context, n *release.Snapshot) error {
	doc, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("recording snapshot %s: %w", n.Alias, err)
	}
	_, err = s.db.ExecContext(ctx, `INSERT INTO snapshot (service, id, alias, candidate, created, document) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (service, id) DO NOTHING`, n.Service, n.ID, n.Alias, n.Candidate, stamp(n.Created), string(doc))
	if err != nil {
		return fmt.Errorf("recording snapshot %s: %w", n.Alias, err)
	}
	return nil
}

// Snapshot implements release.Records.
func (s *Store) Snapshot(ctx context.Context, service, name string) (*release.Snapshot, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT document FROM snapshot WHERE service = ? AND (alias = ? OR id = ? OR length(?) >= 4 AND substr(id, 1, length(?)) = ?)
		ORDER BY id = ? DESC, created DESC LIMIT 2`, service, name, name, name, name, name, name)
	if err != nil {
		return nil, fmt.Errorf("looking for snapshot %q: %w", name, err)
	}
	found, err := documents(rows)
	switch {
	case err != nil:
		return nil, fmt.Errorf("looking for snapshot %q: %w", name, err)
	case len(found) == 0:
		return nil, fmt.Errorf("snapshot %q of %s: %w", name, service, release.ErrNoRecord)
	case len(found) > 1 && found[0].ID != name:
		return nil, fmt.Errorf("snapshot %q of %s: more than one is meant (%s, %s): give more of its ID", name, service, found[0].ID[:12], found[1].ID[:12])
	}
	return found[0], nil
}

// SnapshotOf implements release.Records.
func (s *Store) SnapshotOf(ctx context.Context, service, candidate string) (*release.Snapshot, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT document FROM snapshot WHERE service = ? AND candidate = ? ORDER BY created DESC LIMIT 1`, service, candidate)
	if err != nil {
		return nil, fmt.Errorf("looking for a snapshot: %w", err)
	}
	found, err := documents(rows)
	if err != nil {
		return nil, fmt.Errorf("looking for a snapshot: %w", err)
	}
	if len(found) == 0 {
		return nil, release.ErrNoRecord
	}
	return found[0], nil
}

func documents(rows *sql.Rows) ([]*release.Snapshot, error) {
	defer rows.Close()
	var list []*release.Snapshot
	for rows.Next() {
		var doc string
		if err := rows.Scan(&doc); err != nil {
			return nil, err
		}
		n := new(release.Snapshot)
		if err := json.NewDecoder(strings.NewReader(doc)).Decode(n); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, rows.Err()
}

// Begin implements release.Records.
func (s *Store) Begin(ctx context.Context, p *release.Promotion) error {
	r, err := s.db.ExecContext(ctx, `INSERT INTO promotion (service, environment, snapshot, state, actor, reason, message, began, ended)
		VALUES (?, ?, ?, ?, ?, ?, '', ?, '')`, p.Service, p.Environment, p.Snapshot, release.Running, p.Actor, p.Reason, stamp(p.Began))
	if err != nil {
		return fmt.Errorf("recording promotion to %s: %w", p.Environment, err)
	}
	p.State = release.Running
	p.Number, err = r.LastInsertId()
	return err
}

// End implements release.Records.
func (s *Store) End(ctx context.Context, number int64, state release.State, message string, at time.Time) error {
	if !state.Terminal() {
		return fmt.Errorf("ending promotion %d: %s is not an end", number, state)
	}
	r, err := s.db.ExecContext(ctx, `UPDATE promotion SET state = ?, message = ?, ended = ? WHERE number = ? AND state = ?`,
		state, message, stamp(at), number, release.Running)
	if err != nil {
		return fmt.Errorf("ending promotion %d: %w", number, err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, fmt.Errorf("ending promotion %d: it is not running", number))
	}
	return nil
}

// Promotions implements release.Records.
func (s *Store) Promotions(ctx context.Context, service, environment string, limit int) ([]release.Promotion, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT number, service, environment, snapshot, state, actor, reason, message, began, ended
		FROM promotion WHERE service = ? AND environment = ? ORDER BY number DESC LIMIT ?`, service, environment, limit)
	if err != nil {
		return nil, fmt.Errorf("listing promotions of %s: %w", environment, err)
	}
	defer rows.Close()
	var list []release.Promotion
	for rows.Next() {
		var p release.Promotion
		var began, ended string
		if err := rows.Scan(&p.Number, &p.Service, &p.Environment, &p.Snapshot, &p.State, &p.Actor, &p.Reason, &p.Message, &began, &ended); err != nil {
			return nil, fmt.Errorf("listing promotions of %s: %w", environment, err)
		}
		if p.Began, err = time.Parse(time.RFC3339Nano, began); err != nil {
			return nil, fmt.Errorf("promotion %d: %w", p.Number, err)
		}
		if ended != "" {
			if p.Ended, err = time.Parse(time.RFC3339Nano, ended); err != nil {
				return nil, fmt.Errorf("promotion %d: %w", p.Number, err)
			}
		}
		list = append(list, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("listing promotions of %s: %w", environment, err)
	}
	return list, nil
}

// stamp writes times so that their text sorts as they do.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z07:00") }
