#include "http/json.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>

#include "core/nearest.hpp"
#include "http/field_count.hpp"
#include "http/field_types.hpp"
#include "http/instantiate.hpp"

namespace syncline::http {
namespace {

// Ordered: fields come in the order in which they are documented.
using Json = nlohmann::ordered_json;

template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};
template <typename T>
struct IsMap : std::false_type {};
template <typename T>
struct IsMap<std::map<std::string, T>> : std::true_type {};
template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <typename T>
Json encode(const T& value) {
  if constexpr (IsVector<T>::value) {
    Json array = Json::array();
    for (const auto& item : value) array.push_back(encode(item));
    return array;
  } else if constexpr (IsMap<T>::value) {
    Json object = Json::object();
    for (const auto& entry : value) object[entry.first] = encode(entry.second);
    return object;
  } else if constexpr (IsOptional<T>::value) {
    return value ? encode(*value) : Json(nullptr);
  } else if constexpr (std::is_enum_v<T>) {
    return std::string(EnumNames<T>::kNames.at(static_cast<std::size_t>(value)));
  } else if constexpr (std::is_same_v<T, std::string> || std::is_arithmetic_v<T>) {
    return value;
  } else {
    require_field_count<FieldsOf<T>::kCount>(value);
    Json object = Json::object();
    FieldsOf<T>::visit([&object](const char* name, const auto& field,
                                 const char*) { object[name] = encode(field); },
                       value);
    return object;
  }
}

const char* kind_of(const Json& json) {
  switch (json.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "a list";
    case Json::value_t::string:
      return "a text";
    case Json::value_t::boolean:
      return "true or false";
    case Json::value_t::number_float:
      return "a fraction";
    default:
      return "a number";
  }
}

// Remembers the first thing that is wrong and where; everything after it is skipped.
class Decoder {
 public:
  explicit Decoder(Strictness strictness) : strictness_(strictness) {}

  template <typename T>
  void read(const Json& json, T& out, const std::string& path) {
    if (error_) return;
    if constexpr (IsOptional<T>::value) {
      if (json.is_null()) {
        out.reset();
      } else {
        read(json, out.emplace(), path);
      }
    } else if constexpr (IsVector<T>::value) {
      read_list(json, out, path);
    } else if constexpr (IsMap<T>::value) {
      read_map(json, out, path);
    } else if constexpr (std::is_enum_v<T>) {
      read_enum(json, out, path);
    } else if constexpr (std::is_same_v<T, std::string>) {
      json.is_string() ? void(out = json.template get<std::string>()) : wrong(json, path, "a text");
    } else if constexpr (std::is_same_v<T, bool>) {
      json.is_boolean() ? void(out = json.template get<bool>())
                        : wrong(json, path, "true or false");
    } else if constexpr (std::is_floating_point_v<T>) {
      read_float(json, out, path);
    } else if constexpr (std::is_integral_v<T>) {
      read_integer(json, out, path);
    } else {
      read_struct(json, out, path);
    }
  }

  std::optional<core::Error> take_error() { return std::move(error_); }

 private:
  void fail(std::string what) {
    error_ = core::Error{core::ErrorKind::kInvalid, std::move(what), ""};
  }

  void wrong(const Json& json, const std::string& path, const std::string& wanted) {
    const std::string where = path.empty() ? "the body" : "'" + path + "'";
    fail(where + " must be " + wanted + ", not " + kind_of(json));
  }

  template <typename T>
  void read_list(const Json& json, std::vector<T>& out, const std::string& path) {
    if (!json.is_array()) return wrong(json, path, "a list");
    out.clear();
    for (const Json& item : json) {
      const std::string item_path = path + "[" + std::to_string(out.size()) + "]";
      read(item, out.emplace_back(), item_path);
    }
  }

  template <typename T>
  void read_map(const Json& json, std::map<std::string, T>& out, const std::string& path) {
    if (!json.is_object()) return wrong(json, path, "an object");
    out.clear();
    for (auto it = json.begin(); it != json.end(); ++it) {
      read(it.value(), out[it.key()], path + "." + it.key());
    }
  }

  template <typename E>
  void read_enum(const Json& json, E& out, const std::string& path) {
    const std::vector<std::string> names(EnumNames<E>::kNames.begin(), EnumNames<E>::kNames.end());
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    if (!json.is_string()) return wrong(json, path, "one of " + list);
    const auto text = json.get<std::string>();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == text) {
        out = static_cast<E>(i);
        return;
      }
    }
    fail("'" + path + "' must be one of " + list + ", not '" + text + "'" +
         core::did_you_mean(text, names));
  }

  template <typename T>
  void read_float(const Json& json, T& out, const std::string& path) {
    // What was not a finite number at the other end arrives as null.
    if (json.is_null() && strictness_ == Strictness::kLenient) return;
    if (!json.is_number()) return wrong(json, path, "a number");
    out = json.get<T>();
    if (!std::isfinite(out)) fail("'" + path + "' is not a finite number");
  }

  template <typename T>
  void read_integer(const Json& json, T& out, const std::string& path) {
    if (!json.is_number_integer()) return wrong(json, path, "a whole number");
    using Limits = std::numeric_limits<T>;
    if (json.is_number_unsigned()) {
      const auto value = json.get<std::uint64_t>();
      if (value > static_cast<std::uint64_t>(Limits::max())) return out_of_range<T>(path);
      out = static_cast<T>(value);
    } else {
      const auto value = json.get<std::int64_t>();  // negative
      if (std::is_unsigned_v<T> || value < static_cast<std::int64_t>(Limits::min())) {
        return out_of_range<T>(path);
      }
      out = static_cast<T>(value);
    }
  }

  template <typename T>
  void out_of_range(const std::string& path) {
    fail("'" + path + "' must be between " + std::to_string(std::numeric_limits<T>::min()) +
         " and " + std::to_string(std::numeric_limits<T>::max()));
  }

  template <typename T>
  void read_struct(const Json& json, T& out, const std::string& path) {
    require_field_count<FieldsOf<T>::kCount>(out);
    if (!json.is_object()) return wrong(json, path, "an object");
    const std::string prefix = path.empty() ? "" : path + ".";
    std::vector<std::string> known;
    FieldsOf<T>::visit(
        [&](const char* name, auto& field, const char*) {
          known.emplace_back(name);
          const auto found = json.find(name);
          if (found != json.end()) read(*found, field, prefix + name);
        },
        out);
    if (strictness_ == Strictness::kLenient || error_) return;
    for (auto it = json.begin(); it != json.end(); ++it) {
      if (std::find(known.begin(), known.end(), it.key()) == known.end()) {
        return fail("unknown field '" + prefix + it.key() + "'" +
                    core::did_you_mean(it.key(), known));
      }
    }
  }

  Strictness strictness_;
  std::optional<core::Error> error_;
};

// nlohmann builds the whole tree before we look at it: a body is bounded by the server, and its
// depth here, since no message of ours nests deeper than this.
constexpr int kDepthMax = 16;

bool is_too_deep(int depth, Json::parse_event_t event, bool& hit) {
  const bool opens =
      event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
  if (opens && depth >= kDepthMax) hit = true;
  return hit;
}

}  // namespace

template <typename T>
std::string to_json(const T& value) {
  return encode(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <typename T>
core::Result<T> from_json(std::string_view text, Strictness strictness, T defaults) {
  bool too_deep = false;
  const Json json = Json::parse(
      text,
      [&too_deep](int depth, Json::parse_event_t event, Json&) {
        return !is_too_deep(depth, event, too_deep);
      },
      false);
  if (too_deep) {
    return core::Error{core::ErrorKind::kInvalid, "the JSON nests too deeply", ""};
  }
  if (json.is_discarded()) {
    return core::Error{core::ErrorKind::kInvalid, "the body is not valid JSON", ""};
  }
  Decoder decoder(strictness);
  decoder.read(json, defaults, "");
  if (auto error = decoder.take_error()) return *std::move(error);
  return defaults;
}

std::string indented(std::string_view json) {
  return Json::parse(json).dump(2, ' ', false, Json::error_handler_t::replace);
}

#define SYNCLINE_INSTANTIATE(T)              \
  template std::string to_json<T>(const T&); \
  template core::Result<T> from_json<T>(std::string_view, Strictness, T);
SYNCLINE_FOR_EACH_JSON_TYPE(SYNCLINE_INSTANTIATE)
#undef SYNCLINE_INSTANTIATE

}  // namespace syncline::http
