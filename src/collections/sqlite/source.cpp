#include "collections/sqlite/source.hpp"

#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>

#include "collections/sqlite/condition.hpp"
#include "collections/sqlite/cursor.hpp"
#include "collections/sqlite/database_read.hpp"
#include "collections/sqlite/databases.hpp"
#include "collections/sqlite/layout.hpp"
#include "collections/sqlite/live_database.hpp"
#include "core/text.hpp"

namespace syncline::collections::sqlite {

using core::Error;
using core::ErrorKind;
using Clock = std::chrono::steady_clock;

namespace {

// Time that comparison may take: a twentieth of what passes, saved up for at most a second.
constexpr int kPassShare = 20;
constexpr core::Duration kPassSavedMax = core::seconds(1);
// One read ends after this time even where more is found; the next goes on.
constexpr core::Duration kReadMax = core::seconds(2);
constexpr int kTriesMax = 4;  // of a database that is replaced or written to while it is opened

std::uint64_t hash_of_settings(const core::CollectionConfig& config) {
  std::uint64_t hash = 1469598103934665603u;  // FNV-1a
  const auto add = [&](const std::string& text) {
    for (unsigned char c : text + '\n') hash = (hash ^ c) * 1099511628211u;
  };
  add(config.unit);
  add(config.complete_when);
  add(config.changed_by);
  if (!config.announces.table.empty()) add(config.announces.table + "." + config.announces.column);
  for (const auto& column : config.config_key) add(column);
  for (const auto& table : config.tables_exclude) add("-" + table);
  for (const auto& [name, table] : config.tables) {
    add(name + (table.rule == core::MergeRule::kDerived ? "-" : "+"));
    for (const auto& column : table.key) add("k" + column);
    for (const auto& [from, to] : table.aliases) add(from + "=" + to);
  }
  return hash;
}

// What is kept between reads of one database; lost at a restart without harm.
struct Remembered {
  std::shared_ptr<const Layout> layout;
  Identity identity;
  std::vector<std::string> problems;
  std::uint64_t open_units = 0;
  core::Duration pass_saved = kPassSavedMax;
  Clock::time_point saved_at = Clock::now();
};

std::string say_refused(const std::string& key, const std::string& why) {
  return "the unit " + key + " " + why;
}

}  // namespace

struct Source::State {
  core::CollectionConfig config;
  std::string root;
  Origin origin = Origin::kLive;
  std::uint64_t settings = 0;
  std::atomic<bool> is_cancelled{false};
  std::mutex mutex;
  syncline::sqlite::Database* reading = nullptr;  // under `mutex`: what cancel() interrupts
  std::map<std::string, Remembered> remembered;
  // What was wrong at the last look, by database; those not looked at this time are told again.
  std::vector<std::string> folder_problems;
  std::map<std::string, std::vector<std::string>> problems;
  std::string next;  // where the next read begins, so that each database gets its turn

  void read_database(const std::string& name, const std::map<std::string, std::string>& cursors,
                     ReadContext& context, Clock::time_point until);
  core::Status try_database(const std::string& name, Cursor& cursor, ReadContext& context,
                            Clock::time_point until);
  core::Status read_portions(LiveDatabase& live, Remembered& memory, Cursor& cursor,
                             ReadContext& context, Clock::time_point until);
  core::Status read_layout_once(LiveDatabase& live, Remembered& memory);
  void gone(const std::string& name, const std::string& stored, ReadContext& context);
  void report(const std::string& name, const Cursor& cursor, ReadOutcome& out);
  void count_open(const std::map<std::string, std::string>& cursors, ReadOutcome& out);
  bool is_full(const ReadContext& context) const {
    return context.out.units.size() >= context.limits.units_max ||
           context.bytes >= context.limits.bytes_max;
  }
};

Source::Source(std::unique_ptr<State> state) : state_(std::move(state)) {}
Source::~Source() = default;

core::Result<std::unique_ptr<Source>> Source::open(const core::CollectionConfig& config,
                                                   Origin origin) {
  if (!config.complete_when.empty()) SYNCLINE_TRY(check_condition(config.complete_when));
  // Links on the way to the root are the operator's; below it none is followed.
  std::unique_ptr<char, decltype(&::free)> real(::realpath(config.root.c_str(), nullptr), &::free);
  if (!real) {
    return Error{ErrorKind::kMissing,
                 "the root of collection " + config.name.text + " is not there: create it",
                 config.root};
  }
  auto state = std::make_unique<State>();
  state->config = config;
  state->origin = origin;
  state->root = real.get();
  state->settings = hash_of_settings(config);
  return std::unique_ptr<Source>(new Source(std::move(state)));
}

void Source::cancel() {
  state_->is_cancelled = true;
  const std::lock_guard lock(state_->mutex);
  if (state_->reading != nullptr) state_->reading->interrupt();
}

ReadOutcome Source::read(const std::map<std::string, std::string>& cursors, const KnownUnits& known,
                         const ReadLimits& limits, const std::set<std::string>* only,
                         core::WallMs now, const NamedFiles* named) {
  State& s = *state_;
  ReadOutcome out;
  Databases found;
  if (only == nullptr) {
    found = find_databases(s.root, s.config);
    for (const auto& [name, cursor] : cursors) {
      if (!cursor.empty()) found.names.insert(name);  // gone meanwhile, or excluded
    }
    s.folder_problems = std::move(found.problems);
    std::erase_if(s.problems, [&](const auto& one) { return found.names.count(one.first) == 0; });
  } else {
    found.names = *only;
  }
  std::erase_if(found.names,
                [&](const auto& name) { return !is_database_name(name, s.root, s.config); });
  std::vector<std::string> order(found.names.lower_bound(s.next), found.names.end());
  order.insert(order.end(), found.names.begin(), found.names.lower_bound(s.next));
  ReadContext context{s.config, known, limits, now, s.is_cancelled, named, 0, out};
  const auto until = Clock::now() + kReadMax;
  std::vector<std::string> told_once;
  for (const std::string& name : order) {
    if (s.is_cancelled) break;
    if (s.is_full(context) || Clock::now() >= until) {
      out.has_more = true;
      s.next = name;
      break;
    }
    out.problems.clear();
    const std::uint64_t waiting_before = out.waiting_units;
    s.read_database(name, cursors, context, until);
    if (out.waiting_units > waiting_before) out.waiting_in.insert(name);
    const auto cursor = out.cursors.find(name);
    const bool is_gone = cursor != out.cursors.end() && cursor->second.empty();
    if (is_gone) told_once.insert(told_once.end(), out.problems.begin(), out.problems.end());
    s.problems[name] = is_gone ? std::vector<std::string>() : std::move(out.problems);
  }
  out.problems = s.folder_problems;
  out.problems.insert(out.problems.end(), told_once.begin(), told_once.end());
  for (const auto& [name, lines] : s.problems) {
    out.problems.insert(out.problems.end(), lines.begin(), lines.end());
  }
  s.count_open(cursors, out);
  out.open_units -= std::min(out.open_units, out.waiting_units);
  return out;
}

void Source::State::count_open(const std::map<std::string, std::string>& cursors,
                               ReadOutcome& out) {
  for (const auto& [name, bytes] : cursors) {
    if (remembered.count(name) > 0) continue;
    const auto cursor = decode_cursor(bytes);
    if (cursor) remembered[name].open_units = cursor->open_units();
  }
  for (const auto& [name, memory] : remembered) out.open_units += memory.open_units;
}

void Source::State::gone(const std::string& name, const std::string& stored, ReadContext& context) {
  const std::uint64_t open = remembered[name].open_units;
  remembered.erase(name);
  if (stored.empty()) return;
  const auto cursor = decode_cursor(stored);
  const std::uint64_t begun = std::max(open, cursor ? cursor->open_units() : 0);
  context.out.cursors[name] = "";  // told once
  context.out.problems.push_back(name + ": is gone" +
                                 (begun == 0 ? "; what was complete in it has been taken"
                                             : " with " + core::say_count(begun, "unit") +
                                                   " that were not complete; the rest "
                                                   "has been taken"));
}

void Source::State::report(const std::string& name, const Cursor& cursor, ReadOutcome& out) {
  Remembered& memory = remembered[name];
  memory.open_units = cursor.open_units();
  for (const std::string& line : memory.problems) out.problems.push_back(name + ": " + line);
  for (const auto& [key, why] : cursor.refused) {
    out.problems.push_back(name + ": " + say_refused(key, why));
  }
  if (!memory.layout) return;
  for (const UnitLayout& unit : memory.layout->units) {
    for (const MemberLayout& member : unit.members) {
      const auto followed = cursor.tables.find(member.table->name);
      if (followed == cursor.tables.end() || followed->second.orphans.empty()) continue;
      const std::uint64_t count = followed->second.orphans.size() + followed->second.orphans_beyond;
      out.problems.push_back(name + ": " + core::say_count(count, "row") + " of " +
                             member.table->found_as + (count == 1 ? " belongs" : " belong") +
                             " to no row of " + unit.root().table->found_as +
                             " and will not travel");
    }
  }
}

void Source::State::read_database(const std::string& name,
                                  const std::map<std::string, std::string>& cursors,
                                  ReadContext& context, Clock::time_point until) {
  const auto found = cursors.find(name);
  const std::string stored = found == cursors.end() ? std::string() : found->second;
  const auto glance = glance_at(root + "/" + name);
  if (!glance.ok() && glance.error().kind == ErrorKind::kMissing) {
    if (glance.error().what.find("empty") == std::string::npos) gone(name, stored, context);
    return;
  }
  Cursor cursor = decode_cursor(stored).value_or(Cursor{});
  const bool is_unchanged = glance.ok() && cursor.inode == glance->identity.inode &&
                            cursor.stamp == glance->stamp && cursor.settings == settings &&
                            !cursor.is_pass_owed() && remembered.count(name) > 0 &&
                            remembered[name].layout != nullptr;
  if (is_unchanged) {
    report(name, cursor, context.out);
    return;
  }
  core::Status status;
  for (int tries = 0; tries < kTriesMax; ++tries) {
    status = try_database(name, cursor, context, until);
    if (status.ok() || status.error().kind != ErrorKind::kConflict || is_cancelled) break;
  }
  if (!status.ok() && is_cancelled) return;
  Remembered& memory = remembered[name];
  if (!status.ok() && status.error().kind != ErrorKind::kMissing) {
    memory.problems.insert(memory.problems.begin(), status.error().what);
  }
  report(name, cursor, context.out);
  std::string bytes = encode(cursor);
  if (bytes != stored) context.out.cursors[name] = std::move(bytes);
}

core::Status Source::State::read_layout_once(LiveDatabase& live, Remembered& memory) {
  SYNCLINE_ASSIGN(auto transaction, syncline::sqlite::Transaction::begin(live.db(), "BEGIN"));
  SYNCLINE_ASSIGN(const std::int64_t cookie, live.db().ask_number("PRAGMA schema_version"));
  if (memory.layout && memory.identity == live.glance().identity &&
      memory.layout->schema_cookie == cookie) {
    return {};
  }
  memory.layout.reset();
  SYNCLINE_ASSIGN(memory.layout, read_layout(live.db(), config));
  memory.identity = live.glance().identity;
  return {};
}

core::Status Source::State::try_database(const std::string& name, Cursor& cursor,
                                         ReadContext& context, Clock::time_point until) {
  Remembered& memory = remembered[name];
  memory.problems.clear();
  LiveDatabase::Limits limits;
  limits.cell_bytes_max = static_cast<std::int64_t>(context.limits.unit.bytes_max);
  SYNCLINE_ASSIGN(LiveDatabase live, LiveDatabase::open(root + "/" + name, limits));
  {
    const std::lock_guard lock(mutex);
    reading = &live.db();
  }
  struct Forget {
    State& state;
    ~Forget() {
      const std::lock_guard lock(state.mutex);
      state.reading = nullptr;
    }
  } const forget{*this};
  const core::Status status = read_portions(live, memory, cursor, context, until);
  if (status.ok()) return status;
  return live.explain(status.error());
}

core::Status Source::State::read_portions(LiveDatabase& live, Remembered& memory, Cursor& cursor,
                                          ReadContext& context, Clock::time_point until) {
  const Glance& glance = live.glance();
  const bool is_same =
      cursor.inode == glance.identity.inode && cursor.born_ns == glance.identity.born_ns;
  if (origin == Origin::kCopied) {
    cursor.inode = glance.identity.inode;
    cursor.born_ns = glance.identity.born_ns;
  } else if (!is_same) {
    cursor = {};  // another file: its units are compared with what was taken
    cursor.inode = glance.identity.inode;
    cursor.born_ns = glance.identity.born_ns;
  }
  const bool is_changed = !cursor.stamp || *cursor.stamp != glance.stamp;
  const std::optional<Stamp> settled =
      glance.is_settled ? std::optional(glance.stamp) : std::nullopt;
  const bool has_new_settings = cursor.settings != settings;
  cursor.settings = settings;
  cursor.stamp.reset();
  SYNCLINE_TRY(read_layout_once(live, memory));
  const auto now = Clock::now();
  memory.pass_saved = std::min<core::Duration>(
      kPassSavedMax, memory.pass_saved + (now - memory.saved_at) / kPassShare);
  memory.saved_at = now;
  DatabaseRead read(live, *memory.layout, cursor, context, memory.pass_saved);
  if (is_changed || has_new_settings) read.changed();
  while (true) {
    const auto left = read.portion();
    memory.problems = read.problems();
    if (!left.ok()) return left.error();
    if (*left == DatabaseRead::Left::kNothing) break;
    if (is_full(context) || is_cancelled || Clock::now() >= until) {
      context.out.has_more = true;
      return {};
    }
  }
  if (!read.is_waiting()) cursor.stamp = settled;
  return {};
}

}  // namespace syncline::collections::sqlite
