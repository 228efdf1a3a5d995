#include "http/schema_check.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace syncline::http {
namespace {

using Json = nlohmann::json;

class Checker {
 public:
  explicit Checker(const Json& root) : root_(root) {}

  std::string check(const Json& value, const Json& schema, const std::string& where) const {
    for (const auto& item : schema.items()) {
      const std::string problem = keyword(item.key(), item.value(), value, schema, where);
      if (!problem.empty()) return problem;
    }
    return "";
  }

 private:
  std::string keyword(const std::string& name, const Json& rule, const Json& value,
                      const Json& schema, const std::string& where) const {
    static const std::set<std::string> kNotes = {"$schema", "$defs", "title", "description",
                                                 "additionalProperties"};
    if (kNotes.count(name) != 0) return "";
    if (name == "$ref") return check(value, resolve(rule), where);
    if (name == "type") return is_type(value, rule) ? "" : where + " is not " + rule.dump();
    if (name == "enum") {
      return std::find(rule.begin(), rule.end(), value) != rule.end() ? "" : where + " not in enum";
    }
    if (name == "minimum") return value < rule ? where + " is below the minimum" : "";
    if (name == "items") return each_item(value, rule, where);
    if (name == "properties") return each_property(value, rule, schema, where);
    if (name == "required") {
      for (const Json& needed : rule) {
        if (!value.contains(needed)) return where + " lacks " + needed.dump();
      }
      return "";
    }
    if (name == "anyOf") {
      for (const Json& choice : rule) {
        if (check(value, choice, where).empty()) return "";
      }
      return where + " fits none of the choices";
    }
    return "unknown keyword " + name;
  }

  const Json& resolve(const Json& reference) const {
    return root_.at(Json::json_pointer(reference.get<std::string>().substr(1)));
  }

  static bool is_type(const Json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    return type == "null" && value.is_null();
  }

  std::string each_item(const Json& value, const Json& rule, const std::string& where) const {
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string problem = check(value[i], rule, where + "[" + std::to_string(i) + "]");
      if (!problem.empty()) return problem;
    }
    return "";
  }

  std::string each_property(const Json& value, const Json& rule, const Json& schema,
                            const std::string& where) const {
    for (const auto& item : value.items()) {
      const std::string at = where + "." + item.key();
      if (rule.contains(item.key())) {
        const std::string problem = check(item.value(), rule[item.key()], at);
        if (!problem.empty()) return problem;
      } else if (schema.value("additionalProperties", Json(true)) == Json(false)) {
        return at + " is not in the schema";
      }
    }
    return "";
  }

  const Json& root_;
};

}  // namespace

std::string misfit(const std::string& json, const std::string& schema) {
  const Json root = Json::parse(schema);
  return Checker(root).check(Json::parse(json), root, "$");
}

}  // namespace syncline::http
