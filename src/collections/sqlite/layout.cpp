#include "collections/sqlite/layout.hpp"

#include <algorithm>
#include <numeric>

#include "collections/sqlite/schema_read.hpp"
#include "core/nearest.hpp"

namespace syncline::collections::sqlite {

using core::Error;
using core::ErrorKind;
using syncline::sqlite::Database;
using syncline::sqlite::quoted;

namespace {

std::size_t column_at(const reconcile::Table& table, const std::string& name) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].name == name) return i;
  }
  return UnitLayout::kNone;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// A column may have any of the three names of the rowid.
core::Result<std::string> rowid_name(const reconcile::Table& table, const std::string& path) {
  for (const char* name : {"rowid", "_rowid_", "oid"}) {
    const bool is_taken = std::any_of(table.columns.begin(), table.columns.end(),
                                      [&](const auto& c) { return lower(c.found_as) == name; });
    if (!is_taken) return std::string(name);
  }
  const std::string surrogate = table.surrogate();  // an alias of the rowid
  if (!surrogate.empty()) return quoted(table.find(surrogate)->found_as);
  return Error{ErrorKind::kInvalid,
               "table " + table.found_as +
                   " hides its rowid behind columns called rowid, _rowid_ "
                   "and oid: rename one of them, or leave it out with tables_exclude",
               path};
}

std::string missing_column(const std::string& setting, const std::string& column,
                           const reconcile::Table& table) {
  std::vector<std::string> names;
  for (const auto& one : table.columns) names.push_back(one.name);
  return "table " + table.found_as + " has no column '" + column + "' (" + setting + ")" +
         core::did_you_mean(column, names);
}

core::Result<MemberLayout> layout_of(const Layout& layout, const reconcile::Member& member,
                                     const reconcile::UnitPlan& plan, const std::string& path) {
  MemberLayout out;
  out.table = layout.schema.find(member.table);
  out.key = member.key;
  out.parent = member.parent;
  const reconcile::Table& table = *out.table;
  for (const std::string& column : member.key.columns) {
    const std::size_t at = column_at(table, column);
    if (at == UnitLayout::kNone) {
      return Error{ErrorKind::kInvalid,
                   missing_column("tables." + table.name + ".key", column, table), path};
    }
    out.key_columns.push_back(at);
  }
  if (member.link != nullptr) {
    const std::string& name = plan.members[static_cast<std::size_t>(member.parent)].table;
    const reconcile::Table& parent = *layout.schema.find(name);
    for (const auto& column : member.link->columns) {
      out.link_columns.push_back(column_at(table, column));
    }
    for (const auto& column : member.link->parent_columns) {
      out.parent_columns.push_back(column_at(parent, column));
    }
  }
  const std::string hidden = reconcile::hidden_column(table, member.key);
  out.refers_to.resize(table.columns.size());
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].name != hidden) out.travelling.push_back(i);
  }
  std::sort(out.travelling.begin(), out.travelling.end(), [&](std::size_t a, std::size_t b) {
    return table.columns[a].name < table.columns[b].name;
  });
  for (const auto& reference : reconcile::references_of(layout.schema, layout.plans, table.name)) {
    out.refers_to[column_at(table, reference.column)] = reference.parent;
  }
  if (table.has_rowid) {
    SYNCLINE_ASSIGN(out.rowid, rowid_name(table, path));
  } else {
    for (const auto& column : table.primary_key()) {
      out.position.push_back(column_at(table, column));
    }
  }
  return out;
}

void resolve_root(const core::CollectionConfig& config, UnitLayout& unit,
                  std::vector<std::string>& problems) {
  const reconcile::Table& root = *unit.root().table;
  const bool is_configured = root.name == config.unit;
  for (const std::string& column : config.config_key) {
    const std::size_t at = column_at(root, column);
    if (at != UnitLayout::kNone) {
      unit.config_key.push_back(at);
      unit.config_key_names.push_back(column);
    } else if (is_configured) {
      problems.push_back(missing_column("config_key", column, root));
    }
  }
  if (unit.config_key.size() != config.config_key.size()) {
    unit.config_key.clear();
    unit.config_key_names.clear();
  }
  if (config.changed_by.empty()) return;
  unit.changed_by = column_at(root, config.changed_by);
  if (unit.changed_by == UnitLayout::kNone && is_configured) {
    problems.push_back(missing_column("changed_by", config.changed_by, root));
  }
}

}  // namespace

const MemberLayout* Layout::find(const std::string& table) const {
  for (const UnitLayout& unit : units) {
    for (const MemberLayout& member : unit.members) {
      if (member.table->name == table) return &member;
    }
  }
  return nullptr;
}

core::Result<std::shared_ptr<const Layout>> read_layout(Database& db,
                                                        const core::CollectionConfig& config) {
  auto layout = std::make_shared<Layout>();
  SYNCLINE_ASSIGN(layout->schema_cookie, schema_cookie(db));
  SYNCLINE_ASSIGN(layout->schema, read_schema(db, config));
  if (layout->schema.tables.empty()) {
    return Error{ErrorKind::kMissing, "has no table so far", db.path()};
  }
  auto plans = reconcile::plan_units(layout->schema, config);
  if (!plans.ok()) return Error{ErrorKind::kInvalid, plans.error().what, db.path()};
  layout->plans = std::move(plans).value();
  for (const reconcile::UnitPlan& plan : layout->plans) {
    UnitLayout unit;
    for (const reconcile::Member& member : plan.members) {
      SYNCLINE_ASSIGN(MemberLayout one, layout_of(*layout, member, plan, db.path()));
      unit.members.push_back(std::move(one));
    }
    resolve_root(config, unit, layout->problems);
    layout->units.push_back(std::move(unit));
  }
  const reconcile::Schema schema = reconcile::travelling(layout->schema, layout->plans);
  layout->schema_bytes = reconcile::encode(schema);
  layout->schema_id = reconcile::id_of(schema);
  return std::shared_ptr<const Layout>(std::move(layout));
}

std::string column_sql(const MemberLayout& member, std::size_t column, const std::string& alias) {
  return alias + "." + quoted(member.table->columns[column].found_as);
}

std::vector<std::string> position_sql(const MemberLayout& member, const std::string& alias) {
  if (!member.rowid.empty()) return {alias + "." + member.rowid};
  std::vector<std::string> columns;
  for (std::size_t column : member.position) columns.push_back(column_sql(member, column, alias));
  return columns;
}

std::string join(const std::vector<std::string>& parts, const char* between) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : between) + part;
  return out;
}

}  // namespace syncline::collections::sqlite
