// The configuration as text: the commented file of `syncline init`, `config show`, and the docs.
#include <algorithm>
#include <sstream>

#include "core/config.hpp"
#include "core/settings_table.hpp"

namespace syncline::core {

namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    if (c == '\n') {
      out += "\\n";
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

std::string value_text(const std::string& value) {
  return quoted(value);
}
template <typename Tag>
std::string value_text(const Name<Tag>& value) {
  return quoted(value.text);
}
std::string value_text(bool value) {
  return value ? "true" : "false";
}
std::string value_text(int value) {
  return std::to_string(value);
}
std::string value_text(std::int64_t value) {
  return std::to_string(value);
}
std::string value_text(double value) {
  std::ostringstream out;
  out << value;
  return out.str();
}
std::string value_text(Tristate value) {
  return value == Tristate::kAuto ? "\"auto\"" : value == Tristate::kTrue ? "true" : "false";
}
std::string value_text(Kind value) {
  return quoted(to_string(value));
}
std::string value_text(Priority value) {
  return quoted(to_string(value));
}
std::string value_text(StrategyName value) {
  return quoted(to_string(value));
}
std::string value_text(const std::vector<std::string>& values) {
  std::string out = "[";
  for (const std::string& value : values) out += (out.size() > 1 ? ", " : "") + quoted(value);
  return out + "]";
}
std::string value_text(const std::map<std::string, double>& values) {
  std::string out = "{";
  for (const auto& [key, value] : values) {
    out += (out.size() > 1 ? ", " : " ") + quoted(key) + " = " + value_text(value);
  }
  return out + (out.size() > 1 ? " }" : "}");
}
std::string value_text(const std::map<std::string, std::string>& values) {
  std::string out = "{";
  for (const auto& [key, value] : values) {
    out += (out.size() > 1 ? ", " : " ") + quoted(key) + " = " + quoted(value);
  }
  return out + (out.size() > 1 ? " }" : "}");
}

template <typename Field>
std::string text_of(const Field& field) {
  return std::visit([](const auto* value) { return value_text(*value); }, field);
}

std::string comment_of(const char* doc, const char* unit) {
  std::string out = doc;
  if (*unit) out += (out.empty() ? "" : " ") + std::string("[") + unit + "]";
  return out;
}

// What is not as it would be anyway.
template <typename S, typename Owner>
std::string changed_text(const std::vector<S>& settings, Owner owner) {
  std::string out;
  Owner defaults;
  for (const S& s : settings) {
    const std::string value = text_of(s.field(owner));
    if (value != text_of(s.field(defaults))) out += std::string(s.key) + " = " + value + "\n";
  }
  return out;
}

std::string collection_text(const CollectionConfig& collection) {
  std::string out = "\n[[collection]]\n";
  CollectionConfig copy = collection;
  const CollectionConfig fresh;
  CollectionConfig defaults = fresh;
  defaults.kind = collection.kind;
  for (const CollectionSetting& s : collection_settings()) {
    const std::string value = text_of(s.field(copy));
    const bool is_needed = std::string(s.key) == "name" || std::string(s.key) == "kind";
    if (!is_needed && value == text_of(s.field(defaults))) continue;
    out += std::string(s.key) + " = " + value + "\n";
  }
  const Placement& p = collection.placement;
  out += "placement = { roles = " + value_text(p.roles) + ", nodes = " + value_text(p.nodes) +
         ", exclude_nodes = " + value_text(p.exclude_nodes) +
         ", config_keys = " + value_text(p.config_keys) + " }\n";
  for (const auto& [name, table] : collection.tables) {
    out += "[collection.tables." + quoted(name) + "]\n";
    out += std::string("rule = ") + (table.rule == MergeRule::kUnion    ? "\"union\"\n"
                                     : table.rule == MergeRule::kLatest ? "\"latest\"\n"
                                                                        : "\"derived\"\n");
    if (!table.key.empty()) out += "key = " + value_text(table.key) + "\n";
    if (!table.latest_by.empty()) out += "latest_by = " + value_text(table.latest_by) + "\n";
    if (!table.aliases.empty()) {
      std::string aliases;
      for (const auto& [from, to] : table.aliases) {
        aliases += (aliases.empty() ? " " : ", ") + quoted(from) + " = " + quoted(to);
      }
      out += "aliases = {" + aliases + " }\n";
    }
  }
  if (!collection.derive.by.empty()) {
    out += "[collection.derive]\n" + changed_text(derive_settings(), collection.derive);
  }
  if (!collection.announces.table.empty()) {
    out += "[collection.announces]\n" + changed_text(announce_settings(), collection.announces);
  }
  return out;
}

constexpr const char* kExamples = R"(
# ── collections: what is kept in sync ─────────────────────────────────────────────────────────
# Games: rows of SQLite databases that a self-play program is writing right now.
# Take away the '# ' to begin; `syncline config check` says whether it is right.
# [[collection]]
# name = "games"
# kind = "sqlite"
# root = "data/games"                     # what local programs write; never written by Syncline
# replica = "data/replica/games.db"       # the union of all nodes, Syncline's own
# unit = "games"                          # a game travels with its players and moves, or not at all
# complete_when = "completed_at IS NOT NULL"
# config_key = ["board_type", "num_players"]
# copies = 3
# priority = "high"
# placement = { roles = ["training", "backup"] }
# freshness_target_s = 60

# Models: whole files; a reader never sees half of one.
# [[collection]]
# name = "models"
# kind = "files"
# root = "models"
# include = ["**/*.pth"]
# copies = 3

# Training archives: large files for those that train.
# [[collection]]
# name = "npz"
# kind = "files"
# root = "data/training"
# include = ["**/*.npz"]
# placement = { roles = ["training", "backup"] }
# priority = "low"

# Ratings: matches of all nodes united by what they are, not by a number that two nodes both use.
# [[collection]]
# name = "elo"
# kind = "sqlite"
# root = "data/elo"
# replica = "data/replica/elo.db"
# [collection.derive]                     # ratings are computed from the united matches, the same
# by = "elo"                              # on every node, in the table elo_ratings of the replica

# Registry: rows of all nodes, the newer one wins.
# [[collection]]
# name = "registry"
# kind = "sqlite"
# root = "data/registry"
# replica = "data/replica/registry.db"
# [collection.tables.models]
# rule = "latest"
# latest_by = "updated_at"
# [collection.announces]                  # a version is told of once its file is durable
# table = "versions"
# column = "file_path"
# collection = "models"
)";

}  // namespace

std::string config_to_toml(const Config& config) {
  Config copy = config;
  std::string out;
  std::string section;
  auto write = [&](const Setting& s) {
    out += std::string(s.key) + " = " + text_of(s.field(copy)) + "\n";
  };
  for (const Setting& s : settings()) {
    if (!*s.section) write(s);
  }
  for (const Setting& s : settings()) {
    if (!*s.section) continue;
    if (section != s.section) out += "\n[" + (section = s.section) + "]\n";
    write(s);
  }
  for (const CollectionConfig& collection : config.collections) out += collection_text(collection);
  for (const HookConfig& hook : config.hooks) {
    out += "\n[[hook]]\n" + changed_text(hook_settings(), hook);
  }
  for (const AgentlessConfig& host : config.agentless) {
    out += "\n[[agentless]]\n" + changed_text(agentless_settings(), host);
  }
  return out;
}

std::string initial_config_toml(const InitialSettings& initial) {
  Config config;
  config.node.id = NodeId(initial.id);
  config.node.roles = initial.roles;
  config.node.seeds = initial.seeds;
  if (!initial.peer_listen.empty()) config.node.peer_listen = initial.peer_listen;
  config.node.http_listen = {"unix:state/api.sock"};
  // Another socket instead of the usual one; a TCP address beside it.
  if (initial.http_listen.rfind("unix:", 0) == 0) config.node.http_listen.clear();
  if (!initial.http_listen.empty()) config.node.http_listen.push_back(initial.http_listen);
  config.api.token_file = "state/api-token";
  std::string out =
      "# Syncline on this machine. Every key with its default; relative paths begin at this "
      "file's\n"
      "# folder. An unknown key is an error, never ignored. Check with: syncline config check\n";
  // A key that most people set stands open; the others show their default behind a '#'.
  const std::vector<std::string> open = {"node.id",          "node.roles",     "node.peer_listen",
                                         "node.http_listen", "node.state_dir", "node.seeds",
                                         "durability.acks",  "api.token_file"};
  auto write = [&](const Setting& s) {
    const std::string place = std::string(s.section) + "." + s.key;
    const bool is_open = std::find(open.begin(), open.end(), place) != open.end();
    std::string line = std::string(is_open ? "" : "# ") + s.key + " = " + text_of(s.field(config));
    const std::string comment = comment_of(s.doc, s.unit);
    if (!comment.empty()) {
      line.append(line.size() < 44 ? 44 - line.size() : 1, ' ');
      line += "# " + comment;
    }
    out += line + "\n";
  };
  for (const Setting& s : settings()) {
    if (!*s.section) write(s);
  }
  std::string section;
  for (const Setting& s : settings()) {
    if (!*s.section) continue;
    if (section != s.section) out += "\n[" + (section = s.section) + "]\n";
    write(s);
  }
  return out + kExamples;
}

std::string settings_as_markdown() {
  Config defaults;
  std::string out =
      "# Configuration\n\nMade from the table that the program itself reads "
      "(`src/core/settings_table.cpp`); a test keeps the two equal.\n";
  std::string section = "-";
  auto row = [&](const char* key, const std::string& value, const char* unit, const char* doc) {
    out += std::string("| `") + key + "` | `" + value + "` | " + unit + " | " + doc + " |\n";
  };
  for (const Setting& s : settings()) {
    if (section != s.section) {
      section = s.section;
      out += "\n## " + (section.empty() ? std::string("Top of the file") : "[" + section + "]") +
             "\n\n| key | default | unit | what it does |\n|---|---|---|---|\n";
    }
    row(s.key, text_of(s.field(defaults)), s.unit, s.doc);
  }
  out += "\n## [[collection]]\n\n| key | default | unit | what it does |\n|---|---|---|---|\n";
  CollectionConfig collection;
  for (const CollectionSetting& s : collection_settings()) {
    row(s.key, text_of(s.field(collection)), s.unit, s.doc);
  }
  out +=
      "\n`placement = { roles = […], nodes = [globs], exclude_nodes = [globs], config_keys = "
      "[globs] }` says who wants the collection.\n\n`[collection.tables.NAME]` sets for one table: "
      "`key` (natural key), `rule` (`union`, `latest`, `derived`), `latest_by` (column), `aliases` "
      "(column as found = column as kept).\n\n`[collection.derive]` computes tables of the replica "
      "from its rows, in the transaction of each merge:\n\n| key | default | unit | what it does "
      "|\n|---|---|---|---|\n";
  DeriveConfig derive;
  for (const DeriveSetting& s : derive_settings()) {
    row(s.key, text_of(s.field(derive)), s.unit, s.doc);
  }
  out +=
      "\n`[collection.announces]` keeps rows back that name a file, such as a registry's of "
      "models, "
      "until that file is durable:\n\n| key | default | unit | what it does |\n|---|---|---|---|\n";
  AnnounceConfig announces;
  for (const AnnounceSetting& s : announce_settings()) {
    row(s.key, text_of(s.field(announces)), s.unit, s.doc);
  }
  out += "\n## [[hook]]\n\n| key | default | unit | what it does |\n|---|---|---|---|\n";
  HookConfig hook;
  for (const HookSetting& s : hook_settings()) row(s.key, text_of(s.field(hook)), s.unit, s.doc);
  out +=
      "\n## [[agentless]]\n\nA machine without a daemon, polled by this node over SSH.\n\n"
      "| key | default | unit | what it does |\n|---|---|---|---|\n";
  AgentlessConfig host;
  for (const AgentlessSetting& s : agentless_settings()) {
    row(s.key, text_of(s.field(host)), s.unit, s.doc);
  }
  return out;
}

}  // namespace syncline::core
