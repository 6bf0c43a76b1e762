package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/slipway-build/slipway/internal/release"
)

// AddSnapshot implements release.Records.
func (s *Store) AddSnapshot(ctx context.Context, n *release.Snapshot) error {
	doc, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("recording snapshot %s: %w", n.Alias, err)
	}
	_, err = s.db.ExecContext(ctx, `INSERT INTO snapshot (service, id, alias, candidate, created, document) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (service, id) DO NOTHING`, n.Service, n.ID, n.Alias, n.Candidate, stamp(n.Created), string(doc))
	if err != nil {
		return fmt.Errorf("recording snapshot %s: %w", n.Alias, explain(err))
	}
	return nil
}

// Snapshot implements release.Records.
func (s *Store) Snapshot(ctx context.Context, service, name string) (*release.Snapshot, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT document FROM snapshot WHERE service = ? AND (alias = ? OR id = ? OR length(?) >= 4 AND substr(id, 1, length(?)) = ?)
		ORDER BY id = ? DESC, created DESC, id LIMIT 2`, service, name, name, name, name, name, name)
	if err != nil {
		return nil, fmt.Errorf("looking for snapshot %q: %w", name, explain(err))
	}
	found, err := documents(rows)
	switch {
	case err != nil:
		return nil, fmt.Errorf("looking for snapshot %q: %w", name, explain(err))
	case len(found) == 0:
		return nil, fmt.Errorf("snapshot %q of %s: %w", name, service, release.ErrNoRecord)
	case len(found) > 1 && found[0].ID != name:
		return nil, fmt.Errorf("snapshot %q of %s: more than one is meant (%s, %s): give more of its ID", name, service, found[0].ID[:min(12, len(found[0].ID))], found[1].ID[:min(12, len(found[1].ID))])
	}
	return found[0], nil
}

// SnapshotOf implements release.Records.
func (s *Store) SnapshotOf(ctx context.Context, service, candidate string) (*release.Snapshot, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT document FROM snapshot WHERE service = ? AND candidate = ? ORDER BY created DESC, id LIMIT 1`, service, candidate)
	if err != nil {
		return nil, fmt.Errorf("looking for a snapshot: %w", explain(err))
	}
	found, err := documents(rows)
	if err != nil {
		return nil, fmt.Errorf("looking for a snapshot: %w", explain(err))
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
			return nil, fmt.Errorf("reading a record: %w", err)
		}
		list = append(list, n)
	}
	return list, rows.Err()
}
