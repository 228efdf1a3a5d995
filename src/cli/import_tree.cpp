#include "cli/import_tree.hpp"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>

namespace syncline::cli {
namespace {

constexpr std::size_t kTextMax = 8u << 20;
constexpr int kDepthMax = 32;
constexpr std::size_t kValuesMax = 200'000;

core::Error invalid(const std::string& what) {
  return core::Error{core::ErrorKind::kInvalid, what, ""};
}

class Converter {
 public:
  core::Result<Tree> convert(const YAML::Node& node, int depth) {
    if (depth > kDepthMax) return invalid("the YAML nests deeper than 32 levels");
    if (++values_ > kValuesMax) return invalid("the YAML unfolds to more than 200,000 values");
    Tree tree;
    if (node.IsSequence()) {
      tree.kind = Tree::Kind::kList;
      for (const YAML::Node& item : node) {
        SYNCLINE_ASSIGN(auto child, convert(item, depth + 1));
        tree.items.push_back(std::move(child));
      }
    } else if (node.IsMap()) {
      tree.kind = Tree::Kind::kMap;
      for (const auto& entry : node) {
        if (!entry.first.IsScalar()) return invalid("a key of the YAML is not a plain text");
        SYNCLINE_ASSIGN(auto child, convert(entry.second, depth + 1));
        tree.fields.emplace_back(entry.first.Scalar(), std::move(child));
      }
    } else if (node.IsScalar()) {
      tree.scalar = node.Scalar();
    }
    return tree;
  }

 private:
  std::size_t values_ = 0;
};

std::string joined(const Tree& tree) {
  std::string out;
  for (const Tree& item : tree.items) out += (out.empty() ? "" : ", ") + item.scalar;
  return out;
}

bool is_flat_list(const Tree& tree) {
  for (const Tree& item : tree.items) {
    if (item.kind != Tree::Kind::kScalar) return false;
  }
  return tree.kind == Tree::Kind::kList;
}

}  // namespace

const Tree* Tree::find(const std::string& key) const {
  for (const auto& [name, value] : fields) {
    if (name == key) return &value;
  }
  return nullptr;
}

core::Result<Tree> parse_yaml(const std::string& text) {
  if (text.size() > kTextMax) return invalid("the YAML is larger than 8 MiB");
  try {
    return Converter().convert(YAML::Load(text), 0);
  } catch (const YAML::Exception& exception) {
    return invalid("line " + std::to_string(exception.mark.line + 1) + ": " + exception.msg);
  }
}

std::optional<double> number_of(const std::string& text) {
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() ||
      !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<bool> flag_of(const std::string& text) {
  for (const char* word : {"true", "True", "TRUE", "yes", "Yes", "on"}) {
    if (text == word) return true;
  }
  for (const char* word : {"false", "False", "FALSE", "no", "No", "off", ""}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

Ledger::Ledger(const Tree& document) {
  add_leaves(document, "");
}

void Ledger::add_leaves(const Tree& tree, const std::string& path) {
  const std::string prefix = path.empty() ? "" : path + ".";
  if (tree.kind == Tree::Kind::kMap && !tree.fields.empty()) {
    for (const auto& [name, value] : tree.fields) add_leaves(value, prefix + name);
    return;
  }
  if (tree.kind == Tree::Kind::kList && !is_flat_list(tree)) {
    for (std::size_t i = 0; i < tree.items.size(); ++i) {
      add_leaves(tree.items[i], path + "[" + std::to_string(i) + "]");
    }
    return;
  }
  const std::string value = tree.kind == Tree::Kind::kScalar ? tree.scalar : joined(tree);
  at_[path] = notes_.size();
  notes_.push_back({path, value, Fate::kNotUnderstood, "nothing is known of this key"});
}

void Ledger::note(const std::string& path, Fate fate, const std::string& text) {
  const auto covers = [&path](const std::string& leaf) {
    return leaf.starts_with(path) &&
           (leaf.size() == path.size() || leaf[path.size()] == '.' || leaf[path.size()] == '[');
  };
  for (auto it = at_.lower_bound(path); it != at_.end() && it->first.starts_with(path); ++it) {
    if (!covers(it->first)) continue;
    Note& note = notes_[it->second];
    if (note.fate != Fate::kNotUnderstood) continue;
    note.fate = fate;
    note.text = text;
  }
}

void Ledger::take_back(const std::string& path, const std::string& why) {
  if (auto it = at_.find(path); it != at_.end()) {
    notes_[it->second].fate = Fate::kNotUnderstood;
    notes_[it->second].text = why;
  } else {
    note(path, Fate::kNotUnderstood, why);  // a mapping or a list: speaks for all below it
  }
}

std::vector<Note> Ledger::notes() const {
  return notes_;
}

void Section::translated(const std::string& key, const std::string& becomes) {
  ledger_.note(path_of(key), Fate::kTranslated, becomes);
}

void Section::not_applicable(const std::string& key, const std::string& why) {
  ledger_.note(path_of(key), Fate::kNotApplicable, why);
}

void Section::not_understood(const std::string& key, const std::string& why) {
  ledger_.take_back(path_of(key), why);
}

std::optional<std::string> Section::text(const std::string& key, const std::string& becomes) {
  const Tree* value = tree(key);
  if (value == nullptr) return std::nullopt;
  if (value->kind != Tree::Kind::kScalar) {
    not_understood(key, "it should be one value");
    return std::nullopt;
  }
  translated(key, becomes);
  return value->scalar;
}

std::optional<double> Section::number(const std::string& key, const std::string& becomes) {
  const Tree* value = tree(key);
  if (value == nullptr) return std::nullopt;
  const auto number = value->kind == Tree::Kind::kScalar ? number_of(value->scalar) : std::nullopt;
  number ? translated(key, becomes) : not_understood(key, "it should be a number");
  return number;
}

std::optional<bool> Section::flag(const std::string& key, const std::string& becomes) {
  const Tree* value = tree(key);
  if (value == nullptr) return std::nullopt;
  const auto flag = value->kind == Tree::Kind::kScalar ? flag_of(value->scalar) : std::nullopt;
  flag ? translated(key, becomes) : not_understood(key, "it should be true or false");
  return flag;
}

std::vector<std::string> Section::list(const std::string& key, const std::string& becomes) {
  std::vector<std::string> out;
  const Tree* value = tree(key);
  if (value == nullptr) return out;
  if (value->kind == Tree::Kind::kScalar) {
    if (!value->scalar.empty()) out.push_back(value->scalar);
  } else if (is_flat_list(*value)) {
    for (const Tree& item : value->items) out.push_back(item.scalar);
  } else {
    not_understood(key, "it should be a list of names");
    return out;
  }
  translated(key, becomes);
  return out;
}

std::vector<std::pair<std::string, double>> Section::numbers(const std::string& key,
                                                             const std::string& becomes) {
  std::vector<std::pair<std::string, double>> out;
  const Tree* value = tree(key);
  if (value == nullptr) return out;
  Section inside(*value, path_of(key), ledger_);
  for (const auto& [name, unused] : value->fields) {
    if (const auto number = inside.number(name, becomes)) out.emplace_back(name, *number);
  }
  return out;
}

}  // namespace syncline::cli
