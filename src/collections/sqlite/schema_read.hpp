// The tables of a database as reconcile::Schema, as its collection names them.
//
// - Views, virtual tables and their shadows, SQLite's own tables and syncline_* are left out; so
// are
//   generated columns, which their database computes.
// - A column found under an alias (TableConfig::aliases) gets the name as kept; `found_as` is what
//   SQL on this database must say. Names that differ from configured ones in case only are written
//   as configured, and foreign keys name tables and columns as they are written here.
// - A reference without columns (`REFERENCES games`) means the parent's primary key.
// - A type or a default that peers would refuse (an expression, odd letters) is left empty.
#pragma once

#include "core/config.hpp"
#include "core/result.hpp"
#include "reconcile/schema.hpp"
#include "sqlite/database.hpp"

namespace syncline::collections::sqlite {

// kInvalid: more tables or columns than units may have, or an alias makes two columns one.
core::Result<reconcile::Schema> read_schema(syncline::sqlite::Database& db,
                                            const core::CollectionConfig& config);

// `PRAGMA schema_version`: moves with every change of the schema and with VACUUM.
core::Result<std::int64_t> schema_cookie(syncline::sqlite::Database& db);

}  // namespace syncline::collections::sqlite
