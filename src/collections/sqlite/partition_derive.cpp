// Derived tables of one database: when they are made, and what is said of them.
#include <algorithm>
#include <sstream>

#include "collections/sqlite/partition.hpp"

namespace syncline::collections::sqlite {

using core::Error;
using core::ErrorKind;
using core::Status;
namespace db = syncline::sqlite;

namespace {
constexpr const char* kSave = "SAVEPOINT syncline_derive";
constexpr const char* kRelease = "RELEASE syncline_derive";
constexpr const char* kUndo = "ROLLBACK TO syncline_derive; RELEASE syncline_derive";
}  // namespace

Status Partition::load_derivation() {
  derivation_ = {};
  touched_.clear();
  is_changed_ = false;
  if (!deriver_) return {};
  deriver_->forget();
  SYNCLINE_ASSIGN(auto meta, db_.prepare("SELECT value FROM syncline_meta WHERE name = 'derived'"));
  SYNCLINE_ASSIGN(const bool is_there, meta.step());
  if (!is_there) return {};
  std::istringstream in(meta.text(0));
  DerivedCounts& counts = derivation_.counts;
  in >> counts.rated >> counts.without_participants >> counts.without_winner >> counts.with_unrated;
  in.get();
  std::string settings;
  std::getline(in, settings);
  derivation_.is_made = in && settings == deriver_->settings();
  return {};
}

Status Partition::derive_if_new() {
  if (!deriver_ || derivation_.is_made) return {};
  SYNCLINE_ASSIGN(auto transaction, db::Transaction::begin(db_));
  SYNCLINE_TRY(derive());
  return transaction.commit();
}

Status Partition::derive() {
  const std::set<std::string> touched = std::exchange(touched_, {});
  const bool is_changed = std::exchange(is_changed_, false);
  if (!deriver_) return {};
  const bool is_touched = std::any_of(touched.begin(), touched.end(),
                                      [&](const auto& table) { return deriver_->reads(table); });
  if (derivation_.is_made && !is_touched) return {};
  SYNCLINE_TRY(db_.run(kSave));
  // What goes wrong here is no reason to refuse records: it is told, and tried with the next merge.
  auto counts = run_deriver(derivation_.is_made && !is_changed);
  if (!counts.ok()) {
    deriver_->forget();
    SYNCLINE_TRY(db_.run(kUndo));
    derivation_ = {};
    derivation_.problem = counts.error().what;
    return db_.run("DELETE FROM syncline_meta WHERE name = 'derived'");
  }
  SYNCLINE_TRY(db_.run(kRelease));
  derivation_ = {*counts, true, ""};
  std::ostringstream value;
  value << counts->rated << ' ' << counts->without_participants << ' ' << counts->without_winner
        << ' ' << counts->with_unrated << '\n'
        << deriver_->settings();
  SYNCLINE_ASSIGN(db::Statement* const update,
                  sql("INSERT OR REPLACE INTO syncline_meta VALUES ('derived', ?)"));
  return update->bind(1, std::string_view(value.str())).run();
}

core::Result<DerivedCounts> Partition::run_deriver(bool only_added) {
  for (const std::string& table : deriver_->writes()) {
    if (tables_.find(table) == nullptr) continue;
    return Error{ErrorKind::kConflict,
                 "table " + table +
                     " was merged here before it was derived; move the replica away and restart: "
                     "it is made anew from the fleet",
                 db_.path()};
  }
  return deriver_->run(db_, only_added);
}

}  // namespace syncline::collections::sqlite
