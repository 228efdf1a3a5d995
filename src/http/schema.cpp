// JSON Schemas from the same field lists that encode and decode.
#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>

#include "http/field_types.hpp"
#include "http/instantiate.hpp"
#include "http/json.hpp"

namespace syncline::http {
namespace {

using Json = nlohmann::ordered_json;

class SchemaWriter {
 public:
  template <typename T>
  Json type_of(const T*) {
    if constexpr (std::is_same_v<T, std::string>) {
      return {{"type", "string"}};
    } else if constexpr (std::is_same_v<T, bool>) {
      return {{"type", "boolean"}};
    } else if constexpr (std::is_integral_v<T>) {
      Json json = {{"type", "integer"}};
      if (std::is_unsigned_v<T>) json["minimum"] = 0;
      return json;
    } else if constexpr (std::is_floating_point_v<T>) {
      return {{"type", "number"}};
    } else if constexpr (std::is_enum_v<T>) {
      Json names = Json::array();
      for (const auto name : EnumNames<T>::kNames) names.push_back(std::string(name));
      return {{"type", "string"}, {"enum", names}};
    } else {
      return struct_ref<T>();
    }
  }

  template <typename T>
  Json type_of(const std::optional<T>*) {
    return {{"anyOf", {type_of(static_cast<const T*>(nullptr)), {{"type", "null"}}}}};
  }

  template <typename T>
  Json type_of(const std::vector<T>*) {
    return {{"type", "array"}, {"items", type_of(static_cast<const T*>(nullptr))}};
  }

  template <typename T>
  Json type_of(const std::map<std::string, T>*) {
    return {{"type", "object"}, {"additionalProperties", type_of(static_cast<const T*>(nullptr))}};
  }

  Json take_definitions() { return std::move(definitions_); }

 private:
  template <typename T>
  Json struct_ref() {
    const std::string name(FieldsOf<T>::kName);
    if (!definitions_.contains(name)) {
      definitions_[name] = Json::object();  // stops the recursion of a type that holds itself
      definitions_[name] = describe<T>();
    }
    return {{"$ref", "#/$defs/" + name}};
  }

  template <typename T>
  Json describe() {
    T defaults{};
    Json properties = Json::object();
    Json required = Json::array();
    FieldsOf<T>::visit(
        [&](const char* name, const auto& field, const char* documentation) {
          Json property = type_of(&field);
          property["description"] = documentation;
          properties[name] = property;
          required.push_back(name);
        },
        defaults);
    Json json = {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
    if (!is_request<T>()) json["required"] = required;
    if constexpr (requires { FieldsOf<T>::kNeeded; }) json["required"] = {FieldsOf<T>::kNeeded};
    return json;
  }

  // Requests may leave out whatever has a default; answers always carry every field.
  template <typename T>
  static constexpr bool is_request() {
    return FieldsOf<T>::kName.ends_with("Request");
  }

  Json definitions_ = Json::object();
};

}  // namespace

template <typename T>
std::string schema_of(std::string_view title) {
  SchemaWriter writer;
  Json json = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
               {"title", std::string(title)}};
  json.update(writer.type_of(static_cast<const T*>(nullptr)));
  json["$defs"] = writer.take_definitions();
  return json.dump(2) + "\n";
}

#define SYNCLINE_INSTANTIATE(T) template std::string schema_of<T>(std::string_view);
SYNCLINE_FOR_EACH_DAEMON_TYPE(SYNCLINE_INSTANTIATE)
#undef SYNCLINE_INSTANTIATE

}  // namespace syncline::http
