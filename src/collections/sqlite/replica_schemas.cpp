#include "collections/sqlite/replica_schemas.hpp"

#include <algorithm>

#include "core/bytes.hpp"
#include "core/sha256.hpp"

namespace syncline::collections::sqlite {

using core::Error;
using core::ErrorKind;
using reconcile::Member;
using reconcile::UnitPlan;

namespace {

constexpr std::size_t kTextMax = 4096;
constexpr std::size_t kCountMax = 4096;

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The row's key holds the whole key of its parent row, up to the root: it can be in one unit only.
bool is_anchored(const UnitPlan& plan, std::size_t at, const SchemaInfo& info) {
  const Member& member = plan.members[at];
  if (member.parent < 0) return true;
  if (member.key.kind == reconcile::KeyKind::kContent) return true;  // not unique anyway
  const auto above = static_cast<std::size_t>(member.parent);
  const Member& parent = plan.members[above];
  if (!is_anchored(plan, above, info)) return false;
  std::vector<std::string> covered;
  for (std::size_t i = 0; i < member.link->columns.size(); ++i) {
    if (has(member.key.columns, member.link->columns[i])) {
      covered.push_back(member.link->parent_columns[i]);
    }
  }
  const std::string& hidden = info.tables.at(parent.table).hidden;
  if (!hidden.empty() && has(covered, hidden)) return true;
  return parent.key.kind == reconcile::KeyKind::kColumns &&
         std::all_of(parent.key.columns.begin(), parent.key.columns.end(),
                     [&](const std::string& column) { return has(covered, column); });
}

void put(core::ByteWriter& out, const std::vector<std::string>& texts) {
  out.varint(texts.size());
  for (const std::string& text : texts) out.text(text);
}
bool get(core::ByteReader& in, std::vector<std::string>& texts) {
  const std::uint64_t count = in.varint();
  if (!in.ok() || count > kCountMax) return false;
  for (std::uint64_t i = 0; i < count; ++i) texts.emplace_back(in.text(kTextMax));
  return in.ok();
}

}  // namespace

const TableMeaning* SchemaInfo::find(const std::string& table) const {
  auto it = tables.find(table);
  return it == tables.end() ? nullptr : &it->second;
}
const std::string* SchemaInfo::parent_of(const std::string& table,
                                         const std::string& column) const {
  const TableMeaning* meaning = find(table);
  if (meaning == nullptr) return nullptr;
  for (const reconcile::Reference& reference : meaning->references) {
    if (reference.column == column) return &reference.parent;
  }
  return nullptr;
}

core::Status understand(std::string_view bytes, const core::CollectionConfig& config,
                        SchemaInfo& info) {
  info.id = to_hex(core::sha256(bytes)).substr(0, 16);
  SYNCLINE_ASSIGN(info.schema, reconcile::decode_schema(bytes));
  SYNCLINE_ASSIGN(info.plans, reconcile::plan_units(info.schema, config));
  info.rules = reconcile::table_rules(info.plans, config);
  for (const UnitPlan& plan : info.plans) {
    for (const Member& member : plan.members) {
      TableMeaning& meaning = info.tables[member.table];
      meaning.key = member.key;
      meaning.hidden = reconcile::hidden_column(*info.schema.find(member.table), member.key);
      meaning.references = reconcile::references_of(info.schema, info.plans, member.table);
      meaning.is_root = member.parent < 0;
    }
  }
  for (const UnitPlan& plan : info.plans) {
    for (std::size_t at = 0; at < plan.members.size(); ++at) {
      TableMeaning& meaning = info.tables[plan.members[at].table];
      meaning.is_movable = !is_anchored(plan, at, info);
      info.has_movable |= meaning.is_movable;
    }
  }
  return {};
}

std::string encode_rules(const core::CollectionConfig& config) {
  core::ByteWriter out;
  out.u8(1);
  out.text(config.unit);
  put(out, config.tables_exclude);
  out.varint(config.tables.size());
  for (const auto& [name, table] : config.tables) {
    out.text(name);
    out.u8(static_cast<std::uint8_t>(table.rule));
    out.text(table.latest_by);
    put(out, table.key);
  }
  return out.take();
}

core::Result<core::CollectionConfig> decode_rules(std::string_view bytes) {
  const Error corrupt{ErrorKind::kCorrupt, "the replica's merge rules are damaged", ""};
  core::ByteReader in(bytes);
  core::CollectionConfig config;
  if (in.u8() != 1) return corrupt;
  config.unit = std::string(in.text(kTextMax));
  if (!get(in, config.tables_exclude)) return corrupt;
  const std::uint64_t tables = in.varint();
  if (!in.ok() || tables > kCountMax) return corrupt;
  for (std::uint64_t i = 0; i < tables; ++i) {
    core::TableConfig& table = config.tables[std::string(in.text(kTextMax))];
    const std::uint8_t rule = in.u8();
    if (rule > static_cast<std::uint8_t>(core::MergeRule::kDerived)) return corrupt;
    table.rule = static_cast<core::MergeRule>(rule);
    table.latest_by = std::string(in.text(kTextMax));
    if (!get(in, table.key)) return corrupt;
  }
  if (!in.at_end()) return corrupt;
  return config;
}

}  // namespace syncline::collections::sqlite
