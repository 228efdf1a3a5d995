#include <algorithm>
#include <set>
#include <sstream>

#include "core/config.hpp"
#include "core/config_complete.hpp"
#include "core/config_take.inc"
#include "core/nearest.hpp"
#include "core/settings_table.hpp"

namespace syncline::core {

namespace {

constexpr std::size_t kFileBytesMax = 4u << 20;

class Loader : private ConfigTakes {
 public:
  Loader(std::string path, const ConfigOverrides& overrides)
      : ConfigTakes(std::move(path)), overrides_(overrides) {
    folder_ = path_.substr(0, path_.find_last_of('/') + 1);
  }

  Result<Config> load(const toml::table& file) {
    config_.path = path_;
    std::vector<std::string> known{"collection", "hook", "agentless"};
    for (const Setting& s : settings()) known.emplace_back(*s.section ? s.section : s.key);
    for (const auto& [key, node] : file) {
      const std::string name(key.str());
      if (name == "collection") {
        SYNCLINE_TRY(load_list(node, "collections are written as [[collection]]",
                               [this](const toml::table& t) { return load_collection(t); }));
      } else if (name == "hook") {
        SYNCLINE_TRY(load_list(node, "hooks are written as [[hook]]",
                               [this](const toml::table& t) { return load_hook(t); }));
      } else if (name == "agentless") {
        SYNCLINE_TRY(load_list(node, "hosts without a daemon are written as [[agentless]]",
                               [this](const toml::table& t) { return load_agentless(t); }));
      } else if (const Setting* top = find("", name)) {
        SYNCLINE_TRY(assign(*top, node));
      } else if (std::find(known.begin(), known.end(), name) == known.end()) {
        return unknown(name, known, node);
      } else if (const toml::table* section = node.as_table()) {
        SYNCLINE_TRY(load_section(name, *section));
      } else {
        return wrong(name + " must be a table: [" + name + "]", node);
      }
    }
    SYNCLINE_TRY(finish());
    return std::move(config_);
  }

 private:
  static const Setting* find(std::string_view section, std::string_view key) {
    for (const Setting& s : settings()) {
      if (section == s.section && key == s.key) return &s;
    }
    return nullptr;
  }

  Status load_section(const std::string& section, const toml::table& table) {
    std::vector<std::string> known;
    for (const Setting& s : settings()) {
      if (section == s.section) known.emplace_back(s.key);
    }
    for (const auto& [key, node] : table) {
      const Setting* setting = find(section, key.str());
      if (setting == nullptr) {
        return unknown(std::string(key.str()), known, node);
      }
      SYNCLINE_TRY(assign(*setting, node));
    }
    return {};
  }

  Status assign(const Setting& setting, const toml::node& node) {
    const FieldRef field = setting.field(config_);
    return std::visit([&](auto* into) { return take(node, setting, into); }, field);
  }

  // Tables written as `words` ("hooks are written as [[hook]]"), each handed on.
  template <typename Take>
  Status load_list(const toml::node& node, const char* words, Take take_one) {
    const toml::array* array = node.as_array();
    if (array == nullptr) return wrong(words, node);
    for (const toml::node& item : *array) {
      const toml::table* table = item.as_table();
      if (table == nullptr) return wrong(words, item);
      SYNCLINE_TRY(take_one(*table));
    }
    return {};
  }

  template <typename S, typename Owner>
  Status take_keys(const toml::table& table, const std::vector<S>& settings, Owner& owner) {
    for (const auto& [key, value] : table) {
      SYNCLINE_TRY(take_key(std::string(key.str()), value, settings, owner));
    }
    return {};
  }

  Status load_hook(const toml::table& table) {
    HookConfig hook;
    SYNCLINE_TRY(take_keys(table, hook_settings(), hook));
    if (const std::string why = why_not(hook, config_.hooks); !why.empty()) {
      return wrong(why, table);
    }
    absolute(hook.secret_file);
    config_.hooks.push_back(std::move(hook));
    return {};
  }

  Status load_agentless(const toml::table& table) {
    AgentlessConfig host;
    SYNCLINE_TRY(take_keys(table, agentless_settings(), host));
    absolute(host.key_file);
    absolute(host.known_hosts_file);
    config_.agentless.push_back(std::move(host));
    return {};
  }

  Status load_collection(const toml::table& table) {
    CollectionConfig collection;
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      if (name == "placement") {
        SYNCLINE_TRY(load_placement(node, collection.placement));
        continue;
      }
      if (name == "tables") {
        SYNCLINE_TRY(load_tables(node, collection));
        continue;
      }
      if (name == "derive") {
        SYNCLINE_TRY(load_part(node, "derive is written as [collection.derive]", derive_settings(),
                               collection.derive));
        continue;
      }
      if (name == "announces") {
        SYNCLINE_TRY(load_part(node, "announces is written as [collection.announces]",
                               announce_settings(), collection.announces));
        continue;
      }
      SYNCLINE_TRY(take_key(name, node, collection_settings(), collection,
                            {"placement", "tables", "derive", "announces"}));
    }
    return check_collection(std::move(collection), table);
  }

  Status check_collection(CollectionConfig collection, const toml::table& table) {
    const std::string name = collection.name.text;
    if (name.empty()) return wrong("a [[collection]] needs a name", table);
    if (name == "all") return wrong("'all' names every collection: choose another name", table);
    for (const CollectionConfig& other : config_.collections) {
      if (other.name == collection.name)
        return wrong("collection " + name + " stands twice", table);
    }
    if (!table.contains("kind")) return wrong("collection " + name + " needs a kind", table);
    if (collection.merge != "rows" && collection.merge != "snapshot") {
      return wrong("merge must be rows or snapshot", *table.get("merge"));
    }
    const bool is_sqlite = collection.kind == Kind::kSqlite;
    if (collection.root.empty() && (!is_sqlite || collection.replica.empty())) {
      return wrong("collection " + name + " needs a root", table);
    }
    for (const char* key : {"replica", "unit", "complete_when", "changed_by", "config_key",
                            "tables", "tables_exclude"}) {
      if (!is_sqlite && table.contains(key)) {
        return wrong(std::string(key) + " is for collections of kind sqlite only", *table.get(key));
      }
    }
    if (collection.retain_s > 0 && (is_sqlite || collection.replicate_deletes)) {
      return wrong(
          "retain_s is for collections of kind files without replicate_deletes: a clean-up "
          "here must not be a deletion everywhere",
          *table.get("retain_s"));
    }
    absolute(collection.root);
    absolute(collection.replica);
    absolute(collection.derive.script);
    if (const toml::node* derive = table.get("derive")) {
      const std::string why = complete_derive(collection);
      if (!why.empty()) return wrong("collection " + name + ": " + why, *derive);
    }
    if (is_sqlite && collection.include == std::vector<std::string>{"**"}) {
      collection.include = {"**/*.db", "**/*.sqlite", "**/*.sqlite3"};
    }
    config_.collections.push_back(std::move(collection));
    return {};
  }

  Status load_placement(const toml::node& node, Placement& placement) {
    const toml::table* table = node.as_table();
    if (table == nullptr) return wrong("placement must be a table: { roles = [\"…\"] }", node);
    struct Named {
      const char* key;
      std::vector<std::string>* into;
    };
    const Named fields[] = {{"roles", &placement.roles},
                            {"nodes", &placement.nodes},
                            {"exclude_nodes", &placement.exclude_nodes},
                            {"config_keys", &placement.config_keys}};
    for (const auto& [key, value] : *table) {
      const std::string name(key.str());
      const Named* field = std::find_if(std::begin(fields), std::end(fields),
                                        [&](const Named& f) { return name == f.key; });
      if (field == std::end(fields)) {
        return unknown(name, {"roles", "nodes", "exclude_nodes", "config_keys"}, value);
      }
      SYNCLINE_TRY(take(value, *field, field->into));
    }
    return check_roles(placement.roles, node);
  }

  // A table within a collection.
  template <typename S, typename Owner>
  Status load_part(const toml::node& node, const char* words, const std::vector<S>& settings,
                   Owner& owner) {
    const toml::table* table = node.as_table();
    return table == nullptr ? wrong(words, node) : take_keys(*table, settings, owner);
  }

  Status load_tables(const toml::node& node, CollectionConfig& collection) {
    const toml::table* tables = node.as_table();
    if (tables == nullptr) return wrong("tables are written as [collection.tables.NAME]", node);
    for (const auto& [name, item] : *tables) {
      const toml::table* table = item.as_table();
      if (table == nullptr) return wrong("tables are written as [collection.tables.NAME]", item);
      TableConfig& into = collection.tables[std::string(name.str())];
      for (const auto& [key, value] : *table) {
        struct {
          const char* key;
        } const named{"key"};
        if (key.str() == "key") {
          SYNCLINE_TRY(take(value, named, &into.key));
        } else if (key.str() == "latest_by" && value.is_string()) {
          into.latest_by = *value.value<std::string>();
        } else if (key.str() == "rule" && value.is_string()) {
          const std::string rule = *value.value<std::string>();
          if (rule != "union" && rule != "latest" && rule != "derived") {
            return wrong("rule must be union, latest or derived", value);
          }
          into.rule = rule == "union"    ? MergeRule::kUnion
                      : rule == "latest" ? MergeRule::kLatest
                                         : MergeRule::kDerived;
        } else if (key.str() == "aliases" && value.is_table()) {
          for (const auto& [from, to] : *value.as_table()) {
            if (!to.is_string()) return wrong("an alias is written found = \"kept\"", to);
            into.aliases[std::string(from.str())] = *to.value<std::string>();
          }
        } else {
          return unknown(std::string(key.str()), {"key", "rule", "latest_by", "aliases"}, value);
        }
      }
    }
    return {};
  }

  Status check_roles(const std::vector<std::string>& roles, const toml::node& node) {
    static const std::vector<std::string> kRoles = {"selfplay", "training", "coordinator", "backup",
                                                    "voter"};
    for (const std::string& role : roles) {
      if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) {
        return wrong("unknown role '" + role + "'" + did_you_mean(role, kRoles), node);
      }
    }
    return {};
  }

  void absolute(std::string& path) const { make_absolute(path, folder_); }

  Status finish() {
    const toml::table none;
    const std::string wrong_with = complete_config(config_, overrides_, folder_);
    if (!wrong_with.empty()) return wrong(wrong_with, none);
    return check_roles(config_.node.roles, none);
  }

  std::string folder_;
  ConfigOverrides overrides_;
  Config config_;
};

}  // namespace

Result<Config> parse_config(std::string_view text, const std::string& path,
                            const ConfigOverrides& overrides) {
  if (text.size() > kFileBytesMax) {
    return Error{ErrorKind::kInvalid, path + ": larger than a configuration can be", ""};
  }
  toml::parse_result parsed = toml::parse(text, path);
  if (!parsed) {
    std::string what(parsed.error().description());
    std::replace(what.begin(), what.end(), '\n', ' ');
    return Error{ErrorKind::kInvalid,
                 path + ":" + std::to_string(parsed.error().source().begin.line) + ": " + what, ""};
  }
  return Loader(path, overrides).load(parsed.table());
}

}  // namespace syncline::core
