// Package store keeps the records of releases in an SQL database: snapshots and promotions.
//
// It is SQLite in a file (write-ahead log, every commit on the disk), made and brought up to the
// current schema when it is opened. It may be opened by several processes; writers wait for each
// other. A Store is safe for concurrent use and implements release.Records; package storetest holds
// it, and whatever else keeps records, to the promises of that.
//
// Beside the file FILE is a folder FILE.locks. A promotion under way holds a lock there that the
// kernel lets go of when the process dies, which is how a promotion that was killed is told from one
// that runs.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite" // the driver "sqlite"

	"github.com/slipway-build/slipway/internal/release"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is an open database.
type Store struct {
	db    *sql.DB
	locks string // folder of lock files

	mu   sync.Mutex
	held map[int64]*hold // of the promotions that were begun here, by number
}

var _ release.Records = (*Store)(nil)

// Open opens the database at path, made where it does not exist.
func Open(ctx context.Context, path string) (*Store, error) {
	s, err := open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("opening records %s: %w", path, explain(err))
	}
	return s, nil
}

func open(ctx context.Context, path string) (*Store, error) {
	s := &Store{locks: path + ".locks", held: map[int64]*hold{}}
	if err := os.MkdirAll(s.locks, 0o755); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	params := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}, "_txlock": {"immediate"}}
	if s.db, err = sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: params.Encode()}).String()); err != nil {
		return nil, err
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

// migrate brings the database up to the schema that this program knows; one process at a time.
func (s *Store) migrate(ctx context.Context) error {
	lock, err := s.await(ctx, "schema")
	if err != nil {
		return err
	}
	defer lock.release()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, s.db, files, goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	has, knows, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if has > knows {
		return fmt.Errorf("they were written by a newer slipway (schema %d; this one knows %d): run that one", has, knows)
	}
	_, err = p.Up(ctx)
	return err
}

// Close closes the database. Promotions that were begun here and not ended count as aborted from
// then on.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for number, h := range s.held {
		h.release()
		delete(s.held, number)
	}
	return s.db.Close()
}

// Primary result codes of SQLite (sqlite.org/rescode.html).
const (
	sqliteReadOnly = 8
	sqliteCorrupt  = 11
	sqliteFull     = 13
	sqliteCantOpen = 14
	sqliteNotADB   = 26
)

// explain says what to do about what a database complains of.
func explain(err error) error {
	var se *sqlite.Error
	if !errors.As(err, &se) {
		return err
	}
	switch se.Code() & 0xff {
	case sqliteCorrupt, sqliteNotADB:
		return fmt.Errorf("%w: the file is damaged: put a copy of it back, or move it away (what runs goes on, but what was recorded is lost)", err)
	case sqliteReadOnly, sqliteCantOpen:
		return fmt.Errorf("%w: the file and its folder must be writable for you", err)
	case sqliteFull:
		return fmt.Errorf("%w: make room there and run it again", err)
	}
	return err
}

// stamp writes times so that their text sorts as they do.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z07:00") }
