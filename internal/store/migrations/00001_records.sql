-- +goose Up
CREATE TABLE snapshot (
	service   TEXT NOT NULL,
	id        TEXT NOT NULL,
	alias     TEXT NOT NULL,
	candidate TEXT NOT NULL,
	created   TEXT NOT NULL, -- RFC 3339, UTC
	document  TEXT NOT NULL, -- the snapshot as JSON
	PRIMARY KEY (service, id)
) STRICT;
CREATE INDEX snapshot_by_candidate ON snapshot (service, candidate);
CREATE INDEX snapshot_by_alias ON snapshot (service, alias);

CREATE TABLE promotion (
	number      INTEGER PRIMARY KEY AUTOINCREMENT,
	service     TEXT NOT NULL,
	environment TEXT NOT NULL,
	snapshot    TEXT NOT NULL,
	state       TEXT NOT NULL,
	actor       TEXT NOT NULL,
	reason      TEXT NOT NULL,
	message     TEXT NOT NULL,
	began       TEXT NOT NULL,
	ended       TEXT NOT NULL, -- "" while it runs
	FOREIGN KEY (service, snapshot) REFERENCES snapshot (service, id)
) STRICT;
CREATE INDEX promotion_by_environment ON promotion (service, environment, number);

-- +goose Down
DROP TABLE promotion;
DROP TABLE snapshot;
