// Schemas as they come with records, and how the tables of a unit stand in the database.
#include <algorithm>

#include "collections/sqlite/partition.hpp"
#include "core/bytes.hpp"

namespace syncline::collections::sqlite {

using core::Error;
using core::ErrorKind;
using core::Status;
namespace db = syncline::sqlite;

namespace {

std::string encode_shape(const core::Unit& unit) {
  core::ByteWriter out;
  for (const core::TableRows& table : unit.tables) {
    out.text(table.table);
    out.varint(table.columns.size());
    for (const std::string& column : table.columns) out.text(column);
  }
  return out.take();
}

bool decode_shape(std::string_view bytes, Shape& shape) {
  core::ByteReader in(bytes);
  while (in.ok() && in.left() > 0) {
    shape.tables.emplace_back(in.text(in.left()));
    std::vector<std::string>& columns = shape.columns.emplace_back();
    const std::uint64_t count = in.varint();
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) columns.emplace_back(in.text(in.left()));
  }
  return in.ok();
}

std::string select_text(const TableLayout& layout) {
  const std::string rowid = db::quoted(layout.table->rowid());
  std::string text = "SELECT " + rowid;
  for (const std::string& column : layout.columns) text += ", " + db::quoted(column);
  return text + " FROM " + db::quoted(layout.table->name) + " WHERE " + rowid +
         " BETWEEN ?1 AND ?2 ORDER BY " + rowid;
}

std::string insert_text(const TableLayout& layout) {
  std::string names = db::quoted(layout.table->rowid());
  std::string values = "?1";
  for (std::size_t i = 0; i < layout.columns.size(); ++i) {
    names += ", " + db::quoted(layout.columns[i]);
    values += ", ?" + std::to_string(i + 2);
  }
  return "INSERT INTO " + db::quoted(layout.table->name) + " (" + names + ") VALUES (" + values +
         ")";
}

}  // namespace

Status Partition::load_schemas() {
  SYNCLINE_ASSIGN(
      auto rows,
      db_.prepare("SELECT schema, id, rules, bytes FROM syncline_schemas ORDER BY schema"));
  while (true) {
    SYNCLINE_ASSIGN(const bool has_row, rows.step());
    if (!has_row) return {};
    SYNCLINE_ASSIGN(const core::CollectionConfig rules, decode_rules(rows.bytes(2)));
    auto info = std::make_unique<SchemaInfo>();
    SYNCLINE_TRY(understand(rows.bytes(3), rules, *info));
    info->number = rows.number(0);
    SYNCLINE_TRY([&]() -> Status {
      auto made = tables_.take(info->schema, info->plans);
      return made.ok() ? Status() : Status(made.error());
    }());
    if (rows.bytes(2) == rules_) schemas_now_[info->id] = info.get();
    note_references(*info);
    schemas_.push_back(std::move(info));
  }
}

void Partition::note_references(const SchemaInfo& schema) {
  for (const auto& [name, meaning] : schema.tables) {
    for (const reconcile::Reference& reference : meaning.references) {
      if (const KeptTable* parent = tables_.find(reference.parent)) {
        referenced_.insert(parent->number);
      }
    }
  }
}

const SchemaInfo* Partition::schema_by(std::int64_t number) const {
  for (const auto& schema : schemas_) {
    if (schema->number == number) return schema.get();
  }
  return nullptr;
}

// Null with a `refusal`: no unit can be read with it, now or ever.
core::Result<const SchemaInfo*> Partition::schema_of(const core::RecordBatch& batch,
                                                     const std::string& id, std::string& refusal) {
  if (auto known = schemas_now_.find(id); known != schemas_now_.end()) return known->second;
  const SchemaInfo* const nothing = nullptr;
  auto carried = batch.schemas.find(id);
  if (carried == batch.schemas.end()) {
    refusal = "its schema '" + id + "' did not come with it";
    return nothing;
  }
  auto info = std::make_unique<SchemaInfo>();
  if (const Status understood = understand(carried->second, config_, *info); !understood.ok()) {
    refusal = "its schema is refused: " + understood.error().what;
    return nothing;
  }
  if (info->id != id) {
    refusal = "its schema is not the one that it names";
    return nothing;
  }
  // A schema that SQLite refuses must leave no half of its tables.
  SYNCLINE_TRY(db_.run("SAVEPOINT schema"));
  const KeptTables before = tables_.copy();
  const auto give_up = [&](const Error& error) -> core::Result<const SchemaInfo*> {
    tables_ = before.copy();
    layouts_.clear();  // they point into the tables
    SYNCLINE_TRY(db_.run("ROLLBACK TO schema; RELEASE schema"));
    if (error.kind != ErrorKind::kInvalid) return error;
    refusal = "its schema is refused: " + error.what;
    return nothing;
  };
  auto made = tables_.take(info->schema, info->plans);
  if (!made.ok()) return give_up(made.error());
  for (const std::string& text : *made) {
    if (const Status run = db_.run(text); !run.ok()) return give_up(run.error());
  }
  SYNCLINE_ASSIGN(db::Statement* const insert,
                  sql("INSERT INTO syncline_schemas (id, rules, bytes) VALUES (?, ?, ?)"));
  insert->bind(1, std::string_view(id)).bind_blob(2, rules_).bind_blob(3, carried->second);
  SYNCLINE_TRY(insert->run());
  info->number = db_.last_rowid();
  SYNCLINE_TRY(db_.run("RELEASE schema"));
  note_references(*info);
  schemas_now_[id] = info.get();
  schemas_.push_back(std::move(info));
  return schemas_.back().get();
}

Status Partition::load_shapes() {
  SYNCLINE_ASSIGN(auto rows, db_.prepare("SELECT shape, bytes FROM syncline_shapes"));
  while (true) {
    SYNCLINE_ASSIGN(const bool has_row, rows.step());
    if (!has_row) return {};
    auto shape = std::make_unique<Shape>();
    shape->number = rows.number(0);
    if (!decode_shape(rows.bytes(1), *shape)) {
      return Error{ErrorKind::kCorrupt, "the replica's table of shapes is damaged", db_.path()};
    }
    shape_by_bytes_[rows.text(1)] = shape.get();
    shapes_[shape->number] = std::move(shape);
  }
}

core::Result<const Shape*> Partition::shape_of(const core::Unit& unit) {
  const std::string bytes = encode_shape(unit);
  if (auto known = shape_by_bytes_.find(bytes); known != shape_by_bytes_.end()) {
    return known->second;
  }
  SYNCLINE_ASSIGN(db::Statement* const insert,
                  sql("INSERT INTO syncline_shapes (bytes) VALUES (?)"));
  SYNCLINE_TRY(insert->bind_blob(1, bytes).run());
  auto shape = std::make_unique<Shape>();
  shape->number = db_.last_rowid();
  decode_shape(bytes, *shape);
  const Shape* made = shape.get();
  shape_by_bytes_[bytes] = shape.get();
  shapes_[shape->number] = std::move(shape);
  return made;
}

core::Result<ShapeLayout*> Partition::layout_of(const Shape& shape,
                                                std::vector<const SchemaInfo*> schemas) {
  std::string name = std::to_string(shape.number);
  for (const SchemaInfo* schema : schemas) name += "," + std::to_string(schema->number);
  std::unique_ptr<ShapeLayout>& layout = layouts_[name];
  if (layout) return layout.get();
  auto made = std::make_unique<ShapeLayout>();
  made->shape = &shape;
  for (std::size_t t = 0; t < shape.tables.size(); ++t) {
    TableLayout& table = made->tables.emplace_back();
    table.table = tables_.find(shape.tables[t]);
    table.columns = shape.columns[t];
    const SchemaInfo* source = nullptr;
    for (const SchemaInfo* schema : schemas) {
      if (source == nullptr && schema->find(shape.tables[t]) != nullptr) source = schema;
    }
    if (table.table == nullptr || source == nullptr) {
      return Error{ErrorKind::kCorrupt,
                   "a unit has table '" + shape.tables[t] + "', which the replica lacks",
                   db_.path()};
    }
    table.meaning = source->find(shape.tables[t]);
    for (const std::string& column : table.columns) {
      const KeptColumn* kept = table.table->find(column);
      if (kept == nullptr) {
        return Error{
            ErrorKind::kCorrupt,
            "a unit has column '" + shape.tables[t] + "." + column + "', which the replica lacks",
            db_.path()};
      }
      table.affinities.push_back(kept->affinity);
      const std::string* parent = source->parent_of(shape.tables[t], column);
      table.parents.push_back(parent == nullptr ? nullptr : tables_.find(*parent));
      table.has_references |= table.parents.back() != nullptr;
    }
    bool is_plain = table.meaning->key.kind == reconcile::KeyKind::kColumns &&
                    table.meaning->key.columns == table.table->key;
    for (const std::string& column : table.meaning->key.columns) {
      auto it = std::find(table.columns.begin(), table.columns.end(), column);
      const auto at = it == table.columns.end() ? -1 : static_cast<int>(it - table.columns.begin());
      table.key_at.push_back(at);
      is_plain &=
          at >= 0 && table.affinities[static_cast<std::size_t>(std::max(at, 0))] != Affinity::kBlob;
    }
    table.is_plain_key = is_plain || table.meaning->key.kind == reconcile::KeyKind::kContent;
    made->has_references |= table.has_references;
    SYNCLINE_ASSIGN(auto insert, db_.prepare(insert_text(table), true));
    table.insert = std::make_unique<db::Statement>(std::move(insert));
    SYNCLINE_ASSIGN(auto select, db_.prepare(select_text(table), true));
    table.select = std::make_unique<db::Statement>(std::move(select));
  }
  layout = std::move(made);
  return layout.get();
}

}  // namespace syncline::collections::sqlite
