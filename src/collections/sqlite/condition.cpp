#include "collections/sqlite/condition.hpp"

#include <algorithm>

#include "sqlite/database.hpp"

namespace syncline::collections::sqlite {

namespace {

// Position behind a quoted text or comment that begins at `at`; npos: it does not end.
// 0: nothing of the kind begins there.
std::size_t behind_quoted(std::string_view sql, std::size_t at) {
  const char first = sql[at];
  if (first == '\'' || first == '"' || first == '`') {
    for (std::size_t i = at + 1; i < sql.size(); ++i) {
      if (sql[i] != first) continue;
      if (i + 1 < sql.size() && sql[i + 1] == first) {
        ++i;
      } else {
        return i + 1;
      }
    }
    return std::string_view::npos;
  }
  const auto behind = [&](std::string_view end) {
    const std::size_t found = sql.find(end, at + 1);
    return found == std::string_view::npos ? found : found + end.size();
  };
  if (first == '[') return behind("]");
  if (sql.substr(at, 2) == "/*") return behind("*/");
  if (sql.substr(at, 2) == "--") return std::min(sql.find('\n', at), sql.size());
  return 0;
}

const char* what_is_wrong(std::string_view sql) {
  int depth = 0;
  for (std::size_t at = 0; at < sql.size();) {
    if (const std::size_t behind = behind_quoted(sql, at); behind != 0) {
      if (behind == std::string_view::npos) return "a quote, bracket or comment is not closed";
      at = behind;
      continue;
    }
    const char c = sql[at++];
    if (c == ';') return "it is more than one statement";
    if (c == '\0') return "it holds a NUL byte";
    if (c == '?' || c == ':' || c == '@' || c == '$') return "it has a parameter";
    if (c == '(') ++depth;
    if (c == ')' && --depth < 0) break;
  }
  return depth == 0 ? nullptr : "its brackets are not balanced";
}

core::Error invalid(const std::string& why) {
  return {core::ErrorKind::kInvalid, "complete_when is no SQL condition: " + why, ""};
}

}  // namespace

core::Status check_condition(std::string_view sql) {
  if (sql.find_first_not_of(" \t\r\n") == std::string_view::npos) return invalid("it is blank");
  if (const char* wrong = what_is_wrong(sql)) return invalid(wrong);
  auto db =
      syncline::sqlite::Database::open(":memory:", syncline::sqlite::OpenMode::kReadWriteCreate);
  if (!db.ok()) return db.error();
  const auto parsed = db->prepare("SELECT 1 WHERE (" + std::string(sql) + "\n)");
  if (parsed.ok()) return {};
  // Parsed, and its names looked for in an empty database.
  const std::string& what = parsed.error().what;
  for (const char* missing : {"no such column", "no such table"}) {
    if (what.find(missing) != std::string::npos) return {};
  }
  return invalid(what);
}

}  // namespace syncline::collections::sqlite
