#include <algorithm>

#include "core/nearest.hpp"
#include "core/settings_table.hpp"

namespace syncline::core {

const std::vector<AnnounceSetting>& announce_settings() {
  static const std::vector<AnnounceSetting> kSettings = {
      {"table", "", "whose rows name files",
       [](AnnounceConfig& a) -> AnnounceFieldRef { return &a.table; }},
      {"column", "", "path of the file: below the root of the other collection, or absolute",
       [](AnnounceConfig& a) -> AnnounceFieldRef { return &a.column; }},
      {"collection", "", "of kind files: a row travels once its file there is durable",
       [](AnnounceConfig& a) -> AnnounceFieldRef { return &a.collection; }},
  };
  return kSettings;
}

std::string check_announces(const Config& config) {
  std::vector<std::string> names;
  for (const CollectionConfig& c : config.collections) {
    if (c.kind == Kind::kFiles) names.push_back(c.name.text);
  }
  for (const CollectionConfig& collection : config.collections) {
    const AnnounceConfig& announces = collection.announces;
    if (announces == AnnounceConfig{}) continue;
    const std::string about = "collection " + collection.name.text + ": announces ";
    if (collection.kind != Kind::kSqlite) return about + "is for collections of kind sqlite only";
    if (announces.table.empty() || announces.column.empty() || announces.collection.empty()) {
      return about + "needs table, column and collection";
    }
    if (std::find(names.begin(), names.end(), announces.collection) == names.end()) {
      return about + "names no collection of kind files: '" + announces.collection + "'" +
             did_you_mean(announces.collection, names);
    }
  }
  return "";
}

}  // namespace syncline::core
