// A unit's rows into the database: new numbers for surrogates, numbers in place of names.
//
// A row that cannot stand in its table (its key is another unit's already) has rowid 0: it is
// hidden. Nothing of it is lost, for a unit with hidden rows keeps its records' bytes.
#include <algorithm>

#include "collections/sqlite/partition.hpp"

namespace syncline::collections::sqlite {

using core::Cell;
using core::Error;
using core::ErrorKind;
using core::Status;
namespace db = syncline::sqlite;

namespace {

void append(RowRuns& runs, std::int64_t rowid) {
  if (!runs.empty()) {
    RowRun& last = runs.back();
    const bool is_next =
        rowid == 0 ? last.first == 0 : last.first != 0 && rowid == last.first + last.count;
    if (is_next) {
      ++last.count;
      return;
    }
  }
  runs.push_back({rowid, 1});
}

std::vector<std::int64_t> flat(const RowRuns& runs) {
  std::vector<std::int64_t> rowids;
  for (const RowRun& run : runs) {
    for (std::int64_t i = 0; i < run.count; ++i) {
      rowids.push_back(run.first == 0 ? 0 : run.first + i);
    }
  }
  return rowids;
}

std::string name_of(const TableLayout& layout, const std::vector<Cell>& row) {
  std::vector<Cell> cells;
  for (const int at : layout.key_at) {
    cells.push_back(at < 0 ? Cell{} : row[static_cast<std::size_t>(at)]);
  }
  return reconcile::key_text(layout.table->name, layout.meaning->key, cells);
}

// The cells that the row really has, in the order of its own version's columns.
std::vector<Cell> own_cells(const core::TableRows& table, const std::vector<Cell>& row,
                            const std::vector<std::string>& columns) {
  std::vector<Cell> cells;
  cells.reserve(columns.size());
  for (const std::string& column : columns) {
    const auto it = std::lower_bound(table.columns.begin(), table.columns.end(), column);
    cells.push_back(row[static_cast<std::size_t>(it - table.columns.begin())]);
  }
  return cells;
}

TableLayout* table_of(ShapeLayout& layout, const std::string& table) {
  for (std::size_t t = 0; t < layout.tables.size(); ++t) {
    if (layout.shape->tables[t] == table) return &layout.tables[t];
  }
  return nullptr;
}

}  // namespace

bool Partition::needs_name(const TableLayout& layout) const {
  return !layout.table->hidden.empty() &&
         (referenced_.count(layout.table->number) > 0 || layout.meaning->is_root);
}

Status Partition::name_row(const TableLayout& layout, const std::string& name, std::int64_t rowid,
                           Names& names) {
  names[{layout.table->number, name}] = rowid;
  return register_row(layout, name, rowid);
}

// Answers the row's rowid; 0: its key is taken.
core::Result<std::int64_t> Partition::write_row(TableLayout& layout, const std::vector<Cell>& cells,
                                                std::int64_t rowid, const Names& names,
                                                bool& is_faithful) {
  struct Outward {
    std::size_t column;
    bool is_pending;
  };
  std::vector<Outward> outward;  // references to rows of other units
  db::Statement& insert = *layout.insert;
  if (rowid == 0) {
    insert.bind_null(1);
  } else {
    insert.bind(1, rowid);
  }
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const int at = static_cast<int>(i) + 2;
    const KeptTable* parent = layout.parents[i];
    const std::string* name = parent == nullptr ? nullptr : std::get_if<std::string>(&cells[i]);
    if (name == nullptr) {
      is_faithful &= is_kept(cells[i], layout.affinities[i]);
      insert.bind(at, cells[i]);
      continue;
    }
    std::int64_t id = 0;
    if (auto inside = names.find({parent->number, *name}); inside != names.end()) {
      id = inside->second;
    } else {
      SYNCLINE_ASSIGN(id, id_of(*parent, *name));
      outward.push_back({i, id == 0});
    }
    if (id == 0) {
      insert.bind_null(at);
    } else {
      insert.bind(at, id);
    }
  }
  if (const Status written = insert.run(); !written.ok()) {
    if (written.error().kind != ErrorKind::kConflict) return written.error();
    is_faithful = false;
    return std::int64_t{0};
  }
  const std::int64_t given = rowid == 0 ? db_.last_rowid() : rowid;
  for (const Outward& one : outward) {
    SYNCLINE_TRY(note_reference(
        *layout.table, given, layout.table->find(layout.columns[one.column])->name,
        *layout.parents[one.column], std::get<std::string>(cells[one.column]), one.is_pending));
  }
  return given;
}

// The quick way, for a unit that is new and one version: no row to compare with. Empty: its keys
// collide, with each other or with another unit's; nothing was written.
core::Result<std::optional<Partition::WrittenRows>> Partition::write_plain(ShapeLayout& layout,
                                                                           const core::Unit& unit) {
  WrittenRows written;
  Names names;
  for (std::size_t t = 0; t < unit.tables.size(); ++t) {
    TableLayout& table = layout.tables[t];
    RowRuns& runs = written.runs.emplace_back();
    const bool is_named = needs_name(table);
    for (const auto& row : unit.tables[t].rows) {
      SYNCLINE_ASSIGN(const std::int64_t rowid,
                      write_row(table, row, 0, names, written.is_faithful));
      if (rowid == 0) {
        StoredUnit half;
        half.shape = layout.shape->number;
        half.rows = written.runs;
        SYNCLINE_TRY(remove_rows(half));
        return std::optional<WrittenRows>();
      }
      append(runs, rowid);
      if (!is_named) continue;
      SYNCLINE_TRY(
          name_row(table, table.meaning->is_root ? unit.key : name_of(table, row), rowid, names));
    }
  }
  return std::optional<WrittenRows>(std::move(written));
}

core::Result<Partition::WrittenRows> Partition::write_rows(const FoldedUnit& now,
                                                           const FoldedUnit& before,
                                                           const StoredUnit& stored) {
  struct Old {
    std::int64_t rowid;
    std::size_t table;
    std::size_t row;
  };
  std::map<std::string, Old> old_rows;
  for (std::size_t t = 0; t < before.folded.unit.tables.size(); ++t) {
    const auto rowids = t < stored.rows.size() ? flat(stored.rows[t]) : std::vector<std::int64_t>();
    if (rowids.size() != before.folded.unit.tables[t].rows.size()) {
      return Error{ErrorKind::kCorrupt,
                   "the replica's note of unit '" + stored.key + "' does not fit its versions",
                   db_.path()};
    }
    for (std::size_t r = 0; r < rowids.size(); ++r) {
      old_rows[before.folded.origins[t][r].name] = {rowids[r], t, r};
    }
  }
  std::vector<ShapeLayout*> layouts;
  for (const Version& version : now.versions) {
    SYNCLINE_ASSIGN(const Shape* const shape, shape_of(version.unit));
    SYNCLINE_ASSIGN(ShapeLayout* const layout, layout_of(*shape, {version.schema}));
    layouts.push_back(layout);
  }
  const auto old_content = [&](const Old& old) {
    const core::TableRows& table = before.folded.unit.tables[old.table];
    const Version& version = before.versions[before.folded.origins[old.table][old.row].version];
    for (const core::TableRows& own : version.unit.tables) {
      if (own.table == table.table) {
        return std::pair(own.columns, own_cells(table, table.rows[old.row], own.columns));
      }
    }
    return std::pair(std::vector<std::string>(), std::vector<Cell>());
  };
  WrittenRows written;
  Names names;
  for (std::size_t t = 0; t < now.folded.unit.tables.size(); ++t) {
    const core::TableRows& table = now.folded.unit.tables[t];
    RowRuns& runs = written.runs.emplace_back();
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
      const reconcile::RowOrigin& origin = now.folded.origins[t][r];
      TableLayout& layout = *table_of(*layouts[origin.version], table.table);
      const std::vector<Cell> cells = own_cells(table, table.rows[r], layout.columns);
      // A column that only other rows of the unit have is NULL in the fold, its default in the
      // table.
      for (const std::string& column : table.columns) {
        const bool is_own =
            std::binary_search(layout.columns.begin(), layout.columns.end(), column);
        if (!is_own && layout.table->find(column)->has_default) written.is_faithful = false;
      }
      std::int64_t rowid = 0;
      bool is_same = false;
      if (auto old = old_rows.find(origin.name); old != old_rows.end()) {
        rowid = old->second.rowid;
        is_same = rowid != 0 && old_content(old->second) == std::pair(layout.columns, cells);
        old_rows.erase(old);
      }
      if (is_same) {
        for (std::size_t i = 0; i < cells.size(); ++i) {
          written.is_faithful &=
              layout.parents[i] != nullptr || is_kept(cells[i], layout.affinities[i]);
        }
      } else {
        if (rowid != 0) SYNCLINE_TRY(remove_row(*layout.table, rowid));
        SYNCLINE_ASSIGN(rowid, write_row(layout, cells, rowid, names, written.is_faithful));
      }
      append(runs, rowid);
      if (rowid == 0 || !needs_name(layout)) continue;
      SYNCLINE_TRY(
          name_row(layout, layout.meaning->is_root ? stored.key : origin.name, rowid, names));
    }
  }
  for (const auto& [name, old] : old_rows) {  // the rules changed: nothing folds to it any more
    const KeptTable* table = tables_.find(before.folded.unit.tables[old.table].table);
    if (old.rowid != 0) SYNCLINE_TRY(remove_row(*table, old.rowid));
  }
  return written;
}

Status Partition::remove_rows(const StoredUnit& unit) {
  const auto shape = shapes_.find(unit.shape);
  if (shape == shapes_.end()) return {};
  for (std::size_t t = 0; t < unit.rows.size() && t < shape->second->tables.size(); ++t) {
    const KeptTable* table = tables_.find(shape->second->tables[t]);
    if (table == nullptr) continue;
    for (const std::int64_t rowid : flat(unit.rows[t])) {
      if (rowid != 0) SYNCLINE_TRY(remove_row(*table, rowid));
    }
  }
  return {};
}

}  // namespace syncline::collections::sqlite
