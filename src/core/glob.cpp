// Globs as gitignore and bash know them. The matcher works on positions with a memo of failures,
// so its cost is at most |pattern| × |text| whatever the pattern: no exponential backtracking.
#include <string>
#include <vector>

#include "core/config.hpp"

namespace syncline::core {

namespace {

constexpr std::size_t kPatternBytesMax = 4096;
constexpr std::size_t kAlternativesMax = 256;

// {a,b} -> one pattern per alternative; nested braces too.
void expand_braces(const std::string& pattern, std::vector<std::string>& out) {
  const std::size_t open = pattern.find('{');
  if (open == std::string::npos || out.size() >= kAlternativesMax) {
    out.push_back(pattern);
    return;
  }
  int depth = 0;
  std::vector<std::size_t> cuts{open};
  std::size_t close = std::string::npos;
  for (std::size_t i = open; i < pattern.size(); ++i) {
    if (pattern[i] == '{') ++depth;
    if (pattern[i] == ',' && depth == 1) cuts.push_back(i);
    if (pattern[i] == '}' && --depth == 0) {
      close = i;
      break;
    }
  }
  if (close == std::string::npos) {  // no partner: an ordinary character
    out.push_back(pattern);
    return;
  }
  cuts.push_back(close);
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    const std::string middle = pattern.substr(cuts[i] + 1, cuts[i + 1] - cuts[i] - 1);
    expand_braces(pattern.substr(0, open) + middle + pattern.substr(close + 1), out);
  }
}

class Matcher {
 public:
  Matcher(std::string_view pattern, std::string_view text)
      : pattern_(pattern), text_(text), failed_((pattern.size() + 1) * (text.size() + 1)) {}

  bool matches(std::size_t p, std::size_t t) {
    const std::size_t at = p * (text_.size() + 1) + t;
    if (failed_[at]) return false;
    if (try_match(p, t)) return true;
    failed_[at] = true;
    return false;
  }

 private:
  bool try_match(std::size_t p, std::size_t t) {
    if (p == pattern_.size()) return t == text_.size();
    if (pattern_[p] == '*') {
      const bool is_deep = p + 1 < pattern_.size() && pattern_[p + 1] == '*';
      const std::size_t rest = is_deep ? p + 2 : p + 1;
      // "**/x" matches "x" as well: no folder at all.
      if (is_deep && rest < pattern_.size() && pattern_[rest] == '/' && matches(rest + 1, t)) {
        return true;
      }
      if (matches(rest, t)) return true;
      return t < text_.size() && (is_deep || text_[t] != '/') && matches(p, t + 1);
    }
    if (t == text_.size()) return false;
    if (pattern_[p] == '?') return text_[t] != '/' && matches(p + 1, t + 1);
    if (pattern_[p] == '[') {
      std::size_t after = 0;
      const int in_set = in_bracket(p, text_[t], after);
      if (in_set >= 0) return in_set == 1 && text_[t] != '/' && matches(after, t + 1);
    }
    if (pattern_[p] == '\\' && p + 1 < pattern_.size()) ++p;
    return pattern_[p] == text_[t] && matches(p + 1, t + 1);
  }

  // 1 or 0: c is in the set or not, and `after` is behind it; -1: this is no set.
  int in_bracket(std::size_t p, char c, std::size_t& after) const {
    std::size_t i = p + 1;
    const bool is_negated = i < pattern_.size() && (pattern_[i] == '!' || pattern_[i] == '^');
    if (is_negated) ++i;
    const std::size_t first = i;
    bool is_in = false;
    while (i < pattern_.size() && (pattern_[i] != ']' || i == first)) {
      if (i + 2 < pattern_.size() && pattern_[i + 1] == '-' && pattern_[i + 2] != ']') {
        is_in |= pattern_[i] <= c && c <= pattern_[i + 2];
        i += 3;
      } else {
        is_in |= pattern_[i] == c;
        ++i;
      }
    }
    if (i >= pattern_.size()) return -1;
    after = i + 1;
    return is_in != is_negated ? 1 : 0;
  }

  std::string_view pattern_;
  std::string_view text_;
  std::vector<bool> failed_;
};

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  if (pattern.size() > kPatternBytesMax || text.size() > kPatternBytesMax) return false;
  if (pattern == "*" && text.find('/') == std::string_view::npos) return true;
  if (pattern == "**") return true;
  if (pattern.find('{') == std::string_view::npos) return Matcher(pattern, text).matches(0, 0);
  std::vector<std::string> alternatives;
  expand_braces(std::string(pattern), alternatives);
  for (const std::string& alternative : alternatives) {
    if (Matcher(alternative, text).matches(0, 0)) return true;
  }
  return false;
}

bool any_glob_matches(const std::vector<std::string>& patterns, std::string_view text) {
  for (const std::string& pattern : patterns) {
    if (glob_matches(pattern, text)) return true;
  }
  return false;
}

}  // namespace syncline::core
