package rpmdb

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the database driver
)

// FileName of the database in its folder (%_dbpath).
const FileName = "rpmdb.sqlite"

// Write writes the database of the packages, given in the order of their installation, to the file
// path, which must not exist. time, in seconds since 1970, is when all of them were installed.
func Write(ctx context.Context, path string, packages []Installed, time int64) error {
	if err := write(ctx, path, packages, time); err != nil {
		return fmt.Errorf("writing RPM database: %w", err)
	}
	return nil
}

func write(ctx context.Context, path string, packages []Installed, time int64) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if strings.ContainsAny(path, "?%#") {
		return fmt.Errorf("the path %q holds a character that the database driver takes for its own", path)
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s exists", path)
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=page_size(4096)&_pragma=journal_mode(off)&_pragma=synchronous(off)&_pragma=locking_mode(exclusive)")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := fill(ctx, tx, packages, time); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return db.Close()
}

// fill writes tables one after the other, and the SQL indexes last, which keeps each together in
// the file and is faster than keeping them up to date.
func fill(ctx context.Context, tx *sql.Tx, packages []Installed, time int64) error {
	if _, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)"); err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, "INSERT INTO 'Packages' (hnum, blob) VALUES (?, ?)")
	if err != nil {
		return err
	}
	defer insert.Close()
	for i := range packages {
		if _, err := insert.ExecContext(ctx, i+1, packages[i].blob(time)); err != nil {
			return err
		}
	}
	for _, x := range indexes {
		if err := x.fill(ctx, tx, packages, uint32(time)); err != nil {
			return fmt.Errorf("index %s: %w", x.table, err)
		}
	}
	return nil
}

func (x *index) fill(ctx context.Context, tx *sql.Tx, packages []Installed, tid uint32) error {
	_, err := tx.ExecContext(ctx, fmt.Sprintf("CREATE TABLE IF NOT EXISTS '%s' (key '%s' NOT NULL, "+
		"hnum INTEGER NOT NULL, idx INTEGER NOT NULL, FOREIGN KEY (hnum) REFERENCES 'Packages'(hnum))", x.table, x.column))
	if err != nil {
		return err
	}
	b := batch{tx: tx, table: x.table}
	for i := range packages {
		for _, r := range x.rows(&packages[i], tid) {
			if err := b.add(ctx, r.key, i+1, r.idx); err != nil {
				return err
			}
		}
	}
	if err := b.flush(ctx); err != nil {
		return err
	}
	if x.byKey {
		if err := x.index(ctx, tx, "key"); err != nil {
			return err
		}
	}
	if x.byPackage {
		return x.index(ctx, tx, "hnum")
	}
	return nil
}

func (x *index) index(ctx context.Context, tx *sql.Tx, column string) error {
	_, err := tx.ExecContext(ctx, fmt.Sprintf("CREATE INDEX IF NOT EXISTS '%s_%s_idx' ON '%s'(%s ASC)", x.table, column, x.table, column))
	return err
}

// batch inserts many rows with one statement.
type batch struct {
	tx     *sql.Tx
	table  string
	values []any
	full   *sql.Stmt
}

// batchRows keeps a statement below SQLite's least limit of 999 parameters.
const batchRows = 300

func (b *batch) add(ctx context.Context, key any, hnum, idx int) error {
	b.values = append(b.values, key, hnum, idx)
	if len(b.values) < 3*batchRows {
		return nil
	}
	if b.full == nil {
		var err error
		if b.full, err = b.tx.PrepareContext(ctx, b.statement()); err != nil {
			return err
		}
	}
	_, err := b.full.ExecContext(ctx, b.values...)
	b.values = b.values[:0]
	return err
}

func (b *batch) statement() string {
	return fmt.Sprintf("INSERT INTO '%s' VALUES (?,?,?)", b.table) + strings.Repeat(",(?,?,?)", len(b.values)/3-1)
}

// flush inserts what is left and ends the batch.
func (b *batch) flush(ctx context.Context) error {
	if b.full != nil {
		defer b.full.Close()
	}
	if len(b.values) == 0 {
		return nil
	}
	_, err := b.tx.ExecContext(ctx, b.statement(), b.values...)
	return err
}
