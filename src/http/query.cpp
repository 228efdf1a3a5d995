#include "http/query.hpp"

#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "core/nearest.hpp"
#include "http/field_types.hpp"

namespace syncline::http {
namespace {

template <typename T>
bool read_number(const std::string& text, T& out) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

// Each answers what was wanted when the text is not that, else null.
const char* read(const std::string& text, std::string& out) {
  out = text;
  return nullptr;
}
const char* read(const std::string& text, std::vector<std::string>& out) {
  out.push_back(text);
  return nullptr;
}
const char* read(const std::string& text, std::optional<int>& out) {
  return read_number(text, out.emplace()) ? nullptr : "a whole number";
}
const char* read(const std::string& text, double& out) {
  return read_number(text, out) && std::isfinite(out) ? nullptr : "a number";
}
const char* read(const std::string& text, bool& out) {
  out = text == "true" || text == "1";
  return out || text == "false" || text == "0" ? nullptr : "true or false";
}
const char* read(const std::string& text, core::Priority& out) {
  const auto& names = EnumNames<core::Priority>::kNames;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == text) {
      out = static_cast<core::Priority>(i);
      return nullptr;
    }
  }
  return "one of critical, high, normal, low, background";
}

std::string escaped(const std::string& text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
    if (is_plain) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

class QueryWriter {
 public:
  void write(const char* name, const std::string& value) {
    if (!value.empty()) add(name, value);
  }
  void write(const char* name, const std::vector<std::string>& values) {
    for (const std::string& value : values) add(name, value);
  }
  void write(const char* name, const std::optional<int>& value) {
    if (value) add(name, std::to_string(*value));
  }
  void write(const char* name, double value) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    add(name, std::string(digits.data(), end));
  }
  void write(const char* name, bool value) {
    if (value) add(name, "true");
  }
  template <typename E>
  requires std::is_enum_v<E>
  void write(const char* name, E value) {
    add(name, std::string(EnumNames<E>::kNames.at(static_cast<std::size_t>(value))));
  }
  std::string take() { return std::move(text_); }

 private:
  void add(const char* name, const std::string& value) {
    text_ += (text_.empty() ? "" : "&") + std::string(name) + "=" + escaped(value);
  }
  std::string text_;
};

}  // namespace

core::Result<facade::SyncRequest> request_from_query(const Query& query,
                                                     facade::SyncRequest defaults) {
  std::optional<core::Error> error;
  std::vector<std::string> known;
  FieldsOf<facade::SyncRequest>::visit(
      [&](const char* name, auto& field, const char*) {
        known.emplace_back(name);
        const auto range = query.equal_range(name);
        for (auto it = range.first; it != range.second && !error; ++it) {
          const char* wanted = read(it->second, field);
          if (wanted == nullptr) continue;
          error = core::Error{
              core::ErrorKind::kInvalid,
              "'" + it->first + "' must be " + wanted + ", not '" + it->second + "'", ""};
        }
      },
      defaults);
  if (error) return *error;
  for (const auto& entry : query) {
    if (std::find(known.begin(), known.end(), entry.first) != known.end()) continue;
    return core::Error{
        core::ErrorKind::kInvalid,
        "unknown parameter '" + entry.first + "'" + core::did_you_mean(entry.first, known), ""};
  }
  return defaults;
}

template <typename Request>
std::string to_query(const Request& request) {
  QueryWriter writer;
  FieldsOf<Request>::visit(
      [&writer](const char* name, const auto& field, const char*) { writer.write(name, field); },
      request);
  return writer.take();
}

template std::string to_query<facade::SyncRequest>(const facade::SyncRequest&);
template std::string to_query<syncline::SyncRequest>(const syncline::SyncRequest&);

}  // namespace syncline::http
