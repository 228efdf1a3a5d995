#include "catalog/views.hpp"

#include <charconv>

namespace syncline::catalog {

namespace {

constexpr std::size_t kSelfBytesMax = 16 * 1024;
constexpr std::size_t kRolesMax = 64;
constexpr std::size_t kRootsMax = 64;

// A value may hold anything but a line end.
void put(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out.append(name).append(" ");
  for (char c : value) out.push_back(c == '\n' ? ' ' : c);
  out.push_back('\n');
}

template <typename Int>
bool parse_number(std::string_view text, Int& out) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size();
}

bool parse_port(std::string_view text, int& out) {
  return parse_number(text, out) && out >= 0 && out <= 65535;
}

bool cut_prefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Up to the next '/', which is taken too; empty if there is none.
std::string_view cut_part(std::string_view& text) {
  const std::size_t end = text.find('/');
  if (end == std::string_view::npos) return {};
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end + 1);
  return part;
}

}  // namespace

std::string encode(const NodeSelf& self) {
  std::string out;
  for (const std::string& role : self.roles) put(out, "role", role);
  put(out, "provider", self.provider);
  put(out, "zone", self.zone);
  put(out, "host", self.host);
  put(out, "storage", self.storage);
  put(out, "advertise", self.advertise);
  if (self.is_ephemeral) put(out, "ephemeral", "1");
  if (self.is_draining) put(out, "draining", "1");
  for (const auto& [collection, root] : self.roots) put(out, "root", collection + " " + root);
  if (self.objects_port > 0) put(out, "objects", std::to_string(self.objects_port));
  if (self.swarm_port > 0) put(out, "swarm", std::to_string(self.swarm_port));
  put(out, "acks", std::to_string(self.acks));
  put(out, "free", std::to_string(self.free_bytes));
  put(out, "total", std::to_string(self.total_bytes));
  return out;
}

core::Result<NodeSelf> decode_node_self(std::string_view text) {
  const core::Error corrupt{core::ErrorKind::kCorrupt, "what a node says of itself is unreadable",
                            ""};
  if (text.size() > kSelfBytesMax) return corrupt;
  NodeSelf self;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return corrupt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return corrupt;
    const std::string_view name = line.substr(0, space);
    const std::string_view value = line.substr(space + 1);
    bool is_good = true;
    if (name == "role") {
      if (self.roles.size() < kRolesMax) self.roles.emplace_back(value);
    } else if (name == "provider") {
      self.provider = value;
    } else if (name == "zone") {
      self.zone = value;
    } else if (name == "host") {
      self.host = value;
    } else if (name == "storage") {
      self.storage = value;
    } else if (name == "advertise") {
      self.advertise = value;
    } else if (name == "ephemeral") {
      self.is_ephemeral = value == "1";
    } else if (name == "draining") {
      self.is_draining = value == "1";
    } else if (name == "root") {
      const std::size_t end_of_name = value.find(' ');
      is_good = end_of_name != std::string_view::npos && end_of_name > 0;
      if (is_good && self.roots.size() < kRootsMax) {
        self.roots.emplace(value.substr(0, end_of_name), value.substr(end_of_name + 1));
      }
    } else if (name == "objects") {
      is_good = parse_port(value, self.objects_port);
    } else if (name == "swarm") {
      is_good = parse_port(value, self.swarm_port);
    } else if (name == "acks") {
      is_good = parse_number(value, self.acks);
    } else if (name == "free") {
      is_good = parse_number(value, self.free_bytes);
    } else if (name == "total") {
      is_good = parse_number(value, self.total_bytes);
    }
    if (!is_good) return corrupt;
  }
  return self;
}

std::string log_key(const core::LogId& log) {
  return "log/" + log.collection.text + "/" + log.origin.text + "/" +
         std::to_string(log.epoch.value);
}

std::optional<core::LogId> parse_log_key(std::string_view key) {
  if (!cut_prefix(key, "log/")) return std::nullopt;
  const std::string_view collection = cut_part(key);
  const std::string_view origin = cut_part(key);
  std::uint64_t epoch = 0;
  if (collection.empty() || origin.empty() || !parse_number(key, epoch)) return std::nullopt;
  return core::LogId{core::CollectionName(collection), core::NodeId(origin), {epoch}};
}

std::string object_key(const core::CollectionName& collection, std::string_view path) {
  return "obj/" + collection.text + "/" + std::string(path);
}

std::optional<std::pair<core::CollectionName, std::string>> parse_object_key(std::string_view key) {
  if (!cut_prefix(key, "obj/")) return std::nullopt;
  const std::string_view collection = cut_part(key);
  if (collection.empty() || key.empty()) return std::nullopt;
  return std::pair{core::CollectionName(collection), std::string(key)};
}

std::string fingerprint_key(const core::CollectionName& collection) {
  return "fp/" + collection.text;
}

std::optional<core::CollectionName> parse_fingerprint_key(std::string_view key) {
  if (!cut_prefix(key, "fp/") || key.empty()) return std::nullopt;
  if (key.find('/') != std::string_view::npos) return std::nullopt;
  return core::CollectionName(key);
}

}  // namespace syncline::catalog
