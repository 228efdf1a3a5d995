// A derivation of the operator's own: an SQL script that may read everything and write what the
// configuration calls derived, no more. SQLite's authorizer refuses the rest as it is compiled.
#include <sqlite3.h>

#include <fstream>
#include <iterator>

#include "collections/sqlite/derive.hpp"
#include "core/sha256.hpp"

namespace syncline::collections::sqlite {
namespace {

using core::Error;
using core::ErrorKind;

constexpr std::size_t kScriptBytesMax = 1 << 20;

int allow(void* context, int action, const char* first, const char* second, const char*,
          const char*) {
  const auto& tables = *static_cast<const std::set<std::string>*>(context);
  const auto is_ours = [&](const char* table) {
    return table != nullptr && (tables.count(table) > 0 || std::string(table) == "sqlite_master");
  };
  switch (action) {
    case SQLITE_READ:
    case SQLITE_SELECT:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
    case SQLITE_REINDEX:  // of a new index
      return SQLITE_OK;
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
    case SQLITE_CREATE_TABLE:
    case SQLITE_DROP_TABLE:
      return is_ours(first) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_CREATE_INDEX:
    case SQLITE_DROP_INDEX:
      return is_ours(second) ? SQLITE_OK : SQLITE_DENY;
    default:
      return SQLITE_DENY;
  }
}

class SqlDeriver : public Deriver {
 public:
  explicit SqlDeriver(const core::CollectionConfig& config) : path_(config.derive.script) {
    for (const auto& [name, table] : config.tables) {
      if (table.rule == core::MergeRule::kDerived) tables_.insert(name);
    }
    std::ifstream in(path_, std::ios::binary);
    is_read_ = static_cast<bool>(in);
    script_.assign(std::istreambuf_iterator<char>(in), {});
  }

  std::string settings() const override { return "sql " + core::to_hex(core::sha256(script_)); }
  bool reads(const std::string&) const override { return true; }
  std::set<std::string> writes() const override { return tables_; }
  void forget() override {}

  core::Result<DerivedCounts> run(syncline::sqlite::Database& db, bool) override {
    if (!is_read_ || script_.size() > kScriptBytesMax) {
      return Error{ErrorKind::kMissing, "the script cannot be read, or is longer than 1 MiB",
                   path_};
    }
    ::sqlite3_set_authorizer(db.raw(), &allow, &tables_);
    core::Status done = db.run(script_);
    ::sqlite3_set_authorizer(db.raw(), nullptr, nullptr);
    if (!done.ok()) {
      Error error = done.error();
      error.what = path_ + ": " + error.what;
      return error;
    }
    return DerivedCounts{};
  }

 private:
  std::string path_;
  std::string script_;
  bool is_read_ = false;
  std::set<std::string> tables_;
};

}  // namespace

std::unique_ptr<Deriver> make_sql_deriver(const core::CollectionConfig& config) {
  return std::make_unique<SqlDeriver>(config);
}

std::unique_ptr<Deriver> make_deriver(const core::CollectionConfig& config) {
  if (config.derive.by == "elo") return make_elo_deriver(config.derive);
  if (config.derive.by == "sql") return make_sql_deriver(config);
  return nullptr;
}

}  // namespace syncline::collections::sqlite
