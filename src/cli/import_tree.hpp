// A YAML document as plain values, and the ledger of what became of each of its leaves.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace syncline::cli {

struct Tree {
  enum class Kind { kScalar, kList, kMap };
  Kind kind = Kind::kScalar;
  std::string scalar;                                // kScalar; "" for null
  std::vector<Tree> items;                           // kList
  std::vector<std::pair<std::string, Tree>> fields;  // kMap, in the order of the file

  const Tree* find(const std::string& key) const;
};

// Bounds: 8 MiB of text, 32 levels, 200,000 values (aliases counted as often as they are used, so
// that a small file cannot unfold without end). kInvalid with the line where it goes wrong.
core::Result<Tree> parse_yaml(const std::string& text);

enum class Fate { kTranslated, kNotApplicable, kNotUnderstood };

struct Note {
  std::string path;  // hosts.spot-1.role
  std::string value;
  Fate fate = Fate::kNotUnderstood;
  std::string text;  // where it went, or why it has no place
};

// Knows every leaf of a document; a leaf that nobody speaks for stays kNotUnderstood, so nothing is
// dropped in silence.
class Ledger {
 public:
  explicit Ledger(const Tree& document);

  // Speaks for the leaf at `path` and for all leaves below it. The first word stands, but
  // kNotUnderstood gives way.
  void note(const std::string& path, Fate fate, const std::string& text);
  // The value turned out to mean nothing: what was said of the leaf is taken back.
  void take_back(const std::string& path, const std::string& why);
  std::vector<Note> notes() const;  // in the order of the file

 private:
  void add_leaves(const Tree& tree, const std::string& path);
  std::vector<Note> notes_;
  std::map<std::string, std::size_t> at_;
};

// One mapping of the document, read key by key; each read speaks for its key.
class Section {
 public:
  Section(const Tree& map, std::string path, Ledger& ledger)
      : map_(map), path_(std::move(path)), ledger_(ledger) {}

  bool has(const std::string& key) const { return map_.find(key) != nullptr; }
  // Absent, or of another kind than asked for (which is noted as not understood): empty.
  std::optional<std::string> text(const std::string& key, const std::string& becomes);
  std::optional<double> number(const std::string& key, const std::string& becomes);
  std::optional<bool> flag(const std::string& key, const std::string& becomes);
  std::vector<std::string> list(const std::string& key, const std::string& becomes);
  std::vector<std::pair<std::string, double>> numbers(const std::string& key,
                                                      const std::string& becomes);
  const Tree* tree(const std::string& key) const { return map_.find(key); }

  void translated(const std::string& key, const std::string& becomes);
  void not_applicable(const std::string& key, const std::string& why);
  void not_understood(const std::string& key, const std::string& why);
  std::string path_of(const std::string& key) const { return path_ + "." + key; }
  const Tree& map() const { return map_; }

 private:
  const Tree& map_;
  std::string path_;
  Ledger& ledger_;
};

std::optional<double> number_of(const std::string& text);
std::optional<bool> flag_of(const std::string& text);

}  // namespace syncline::cli
