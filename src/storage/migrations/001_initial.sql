-- Syncline's own database. docs/formats/state-db.md explains each table.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- Logs get a number, so that records do not repeat three names each.
CREATE TABLE logs (
  log INTEGER PRIMARY KEY,
  collection TEXT NOT NULL,
  origin TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  held TEXT NOT NULL DEFAULT '',     -- SeqSet: on this disk, in the journal or merged
  merged TEXT NOT NULL DEFAULT '',
  trimmed TEXT NOT NULL DEFAULT '',  -- no longer in `records`
  UNIQUE (collection, origin, epoch)
);

-- What records refer to as their schema. Never removed: a few per version of a program.
CREATE TABLE schemas (id TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;

-- The journal.
CREATE TABLE records (
  log INTEGER NOT NULL REFERENCES logs (log),
  seq INTEGER NOT NULL,
  committed_at INTEGER NOT NULL,     -- ms since 1970
  hlc INTEGER NOT NULL,
  unit_key TEXT NOT NULL,
  config_key TEXT NOT NULL,
  schema TEXT NOT NULL,              -- id in `schemas`
  hash BLOB NOT NULL,
  payload BLOB NOT NULL,
  PRIMARY KEY (log, seq)
) WITHOUT ROWID;

-- The config key of every record that was ever held, trimmed ones too: for requests that are
-- restricted to one. About 20 bytes each.
CREATE TABLE record_keys (
  log INTEGER NOT NULL REFERENCES logs (log),
  config_key TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (log, config_key, seq)
) WITHOUT ROWID;

-- Which peer has acked what of this node's own logs.
CREATE TABLE acks (
  log INTEGER NOT NULL REFERENCES logs (log),
  peer TEXT NOT NULL,
  held TEXT NOT NULL,
  PRIMARY KEY (log, peer)
) WITHOUT ROWID;

-- How far each source database has been read.
CREATE TABLE cursors (
  collection TEXT NOT NULL,
  database TEXT NOT NULL,            -- relative to the collection's root
  cursor BLOB NOT NULL,
  PRIMARY KEY (collection, database)
) WITHOUT ROWID;

-- Units of this node's sources that were journalled, at which hash.
CREATE TABLE known_units (
  collection TEXT NOT NULL,
  unit_key TEXT NOT NULL,
  hash BLOB NOT NULL,
  config_key TEXT NOT NULL,
  PRIMARY KEY (collection, unit_key)
) WITHOUT ROWID;

-- Files: what the scanner need not read again, and the version told to the fleet.
CREATE TABLE files (
  collection TEXT NOT NULL,
  path TEXT NOT NULL,
  known BLOB,                        -- the scanner's note; NULL: to be hashed again
  version BLOB,                      -- core::ObjectVersion; NULL: not told
  PRIMARY KEY (collection, path)
) WITHOUT ROWID;
