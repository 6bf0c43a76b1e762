package rpmdb

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"

	"github.com/slipway-build/slipway/internal/rpm"
)

// maxRead bounds how many packages of a database are read.
const maxRead = 200_000

// Read gives the headers of the packages in the SQLite database at path, in the order of their
// installation. The database may come from anybody.
func Read(ctx context.Context, path string) (_ []*rpm.Header, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("reading the RPM database: %w", err)
		}
	}()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: "mode=ro&immutable=1&_pragma=trusted_schema(0)"}).String())
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, "SELECT blob FROM Packages ORDER BY hnum LIMIT ?", maxRead)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []*rpm.Header
	for rows.Next() {
		var blob []byte
		if err := rows.Scan(&blob); err != nil {
			return nil, err
		}
		h, err := rpm.ParseHeader(blob)
		if err != nil {
			return nil, err
		}
		list = append(list, h)
	}
	return list, rows.Err()
}
