// Every setting, declared once: its place, default, unit, bounds, reason. The loader, the file that
// `syncline init` writes, `config show` and docs/configuration.md are made from this table.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "core/config.hpp"

namespace syncline::core {

using FieldRef = std::variant<std::string*, int*, std::int64_t*, double*, bool*, Tristate*,
                              std::vector<std::string>*, std::map<std::string, double>*, NodeId*>;

struct Setting {
  const char* section;  // "node", "durability" …; "" = top of the file
  const char* key;
  const char* unit;  // "" = none
  const char* doc;   // what it is; what raising and lowering does
  std::function<FieldRef(Config&)> field;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
};
const std::vector<Setting>& settings();

// A setting of a table that has a list of its own: a collection, a hook, a derivation.
template <typename Owner, typename Field>
struct SettingOf {
  const char* key;
  const char* unit;
  const char* doc;
  std::function<Field(Owner&)> field;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
};

using CollectionFieldRef =
    std::variant<std::string*, int*, std::int64_t*, bool*, std::vector<std::string>*, Kind*,
                 Priority*, StrategyName*, CollectionName*>;
using CollectionSetting = SettingOf<CollectionConfig, CollectionFieldRef>;
const std::vector<CollectionSetting>& collection_settings();

using DeriveFieldRef =
    std::variant<std::string*, double*, std::vector<std::string>*, std::map<std::string, double>*>;
using DeriveSetting = SettingOf<DeriveConfig, DeriveFieldRef>;
const std::vector<DeriveSetting>& derive_settings();
// Gives the table of the ratings its rule. Empty: it can be used; otherwise why not.
std::string complete_derive(CollectionConfig& collection);

using AnnounceFieldRef = std::variant<std::string*>;
using AnnounceSetting = SettingOf<AnnounceConfig, AnnounceFieldRef>;
const std::vector<AnnounceSetting>& announce_settings();
// Empty: every [collection.announces] can be used; otherwise why not.
std::string check_announces(const Config& config);

using HookFieldRef = std::variant<std::string*, int*, std::int64_t*, std::vector<std::string>*>;
using HookSetting = SettingOf<HookConfig, HookFieldRef>;
const std::vector<HookSetting>& hook_settings();
// Empty: the hook can be used beside those. Otherwise why not.
std::string why_not(const HookConfig& hook, const std::vector<HookConfig>& others);

using AgentlessFieldRef = std::variant<std::string*, int*, std::int64_t*, double*, NodeId*,
                                       std::map<std::string, std::string>*>;
using AgentlessSetting = SettingOf<AgentlessConfig, AgentlessFieldRef>;
const std::vector<AgentlessSetting>& agentless_settings();
// Takes what is not set from [ssh], and marks the collections that are collected. Empty: all of
// [[agentless]] can be used; otherwise why not.
std::string complete_agentless(Config& config);

}  // namespace syncline::core
