// Names of rows and the numbers they have here; references that wait for a row to come.
#include "collections/sqlite/partition.hpp"

namespace syncline::collections::sqlite {

using core::Status;
namespace db = syncline::sqlite;

// The number of the row with this name; 0: it is not here.
core::Result<std::int64_t> Partition::id_of(const KeptTable& table, const std::string& name) {
  SYNCLINE_ASSIGN(db::Statement* const select,
                  sql("SELECT id FROM syncline_ids WHERE tab = ? AND key = ?"));
  select->bind(1, std::int64_t{table.number}).bind(2, std::string_view(name));
  SYNCLINE_ASSIGN(const bool is_there, select->step());
  if (is_there) {
    const std::int64_t id = select->number(0);
    select->reset();
    return id;
  }
  select->reset();
  SYNCLINE_ASSIGN(const auto unit, find_unit(name));  // a root's row has its unit's name
  if (!unit || !unit->is_here || unit->rows.empty() || unit->rows[0].empty()) {
    return std::int64_t{0};
  }
  const auto shape = shapes_.find(unit->shape);
  if (shape == shapes_.end() || tables_.find(shape->second->tables[0]) != &table) {
    return std::int64_t{0};
  }
  return unit->rows[0][0].first;
}

// The row is here now: notes its number, and fills in the references that wait for it.
Status Partition::register_row(const TableLayout& layout, const std::string& name,
                               std::int64_t rowid) {
  if (!layout.meaning->is_root) {
    SYNCLINE_ASSIGN(db::Statement* const insert,
                    sql("INSERT OR REPLACE INTO syncline_ids (tab, key, id) VALUES (?, ?, ?)"));
    insert->bind(1, std::int64_t{layout.table->number}).bind(2, std::string_view(name));
    SYNCLINE_TRY(insert->bind(3, rowid).run());
  }
  if (pending_ == 0) return {};
  struct Waiting {
    std::int64_t table = 0;
    std::int64_t row = 0;
    std::string column;
  };
  std::vector<Waiting> all;
  SYNCLINE_ASSIGN(
      db::Statement* const select,
      sql("SELECT tab, row, col FROM syncline_refs WHERE key = ? AND parent = ? AND is_pending"));
  select->bind(1, std::string_view(name)).bind(2, std::string_view(layout.table->name));
  while (true) {
    SYNCLINE_ASSIGN(const bool has_row, select->step());
    if (!has_row) break;
    all.push_back({select->number(0), select->number(1), select->text(2)});
  }
  select->reset();
  for (const Waiting& waiting : all) {
    const KeptTable* table = tables_.find(static_cast<int>(waiting.table));
    if (table == nullptr) continue;
    SYNCLINE_ASSIGN(auto fill, db_.prepare("UPDATE " + db::quoted(table->name) + " SET " +
                                           db::quoted(waiting.column) + " = ? WHERE " +
                                           db::quoted(table->rowid()) + " = ?"));
    SYNCLINE_TRY(fill.bind(1, rowid).bind(2, waiting.row).run());
    SYNCLINE_ASSIGN(
        db::Statement* const done,
        sql("UPDATE syncline_refs SET is_pending = 0 WHERE tab = ? AND row = ? AND col = ?"));
    done->bind(1, waiting.table).bind(2, waiting.row).bind(3, std::string_view(waiting.column));
    SYNCLINE_TRY(done->run());
    --pending_;
  }
  return {};
}

Status Partition::note_reference(const KeptTable& table, std::int64_t rowid,
                                 const std::string& column, const KeptTable& parent,
                                 const std::string& name, bool is_pending) {
  SYNCLINE_ASSIGN(
      db::Statement* const insert,
      sql("INSERT OR REPLACE INTO syncline_refs (tab, row, col, parent, key, is_pending) "
          "VALUES (?, ?, ?, ?, ?, ?)"));
  insert->bind(1, std::int64_t{table.number}).bind(2, rowid).bind(3, std::string_view(column));
  insert->bind(4, std::string_view(parent.name));
  insert->bind(5, std::string_view(name)).bind(6, std::int64_t{is_pending});
  SYNCLINE_TRY(insert->run());
  if (is_pending) ++pending_;
  return {};
}

core::Result<std::optional<std::string>> Partition::noted_reference(const KeptTable& table,
                                                                    std::int64_t rowid,
                                                                    const std::string& column) {
  SYNCLINE_ASSIGN(db::Statement* const select,
                  sql("SELECT key FROM syncline_refs WHERE tab = ? AND row = ? AND col = ?"));
  select->bind(1, std::int64_t{table.number}).bind(2, rowid).bind(3, std::string_view(column));
  SYNCLINE_ASSIGN(const bool is_there, select->step());
  std::optional<std::string> name;
  if (is_there) name = select->text(0);
  select->reset();
  return name;
}

// With what was noted of its references; what refers to it keeps its number.
Status Partition::remove_row(const KeptTable& table, std::int64_t rowid) {
  SYNCLINE_ASSIGN(auto remove, db_.prepare("DELETE FROM " + db::quoted(table.name) + " WHERE " +
                                           db::quoted(table.rowid()) + " = ?"));
  SYNCLINE_TRY(remove.bind(1, rowid).run());
  SYNCLINE_ASSIGN(db::Statement* const pending,
                  sql("DELETE FROM syncline_refs WHERE tab = ? AND row = ? AND is_pending"));
  SYNCLINE_TRY(pending->bind(1, std::int64_t{table.number}).bind(2, rowid).run());
  pending_ -= db_.changes();
  SYNCLINE_ASSIGN(db::Statement* const rest,
                  sql("DELETE FROM syncline_refs WHERE tab = ? AND row = ?"));
  return rest->bind(1, std::int64_t{table.number}).bind(2, rowid).run();
}

}  // namespace syncline::collections::sqlite
