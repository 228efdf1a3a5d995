#include <algorithm>
#include <array>
#include <cctype>

#include "collections/files/tree.hpp"

namespace syncline::collections::files {
namespace {

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// ".model.pth.Ab12Cd": mkstemp letters behind a hidden name. Six small letters alone could be a
// word (".notes.backup"), so at least one must be something else.
bool is_rsync_name(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (name.empty() || name[0] != '.' || dot == 0 || name.size() - dot != 7) return false;
  const std::string_view letters = name.substr(dot + 1);
  const auto is_letter = [](unsigned char c) { return std::isalnum(c) != 0; };
  const auto is_small = [](unsigned char c) { return std::islower(c) != 0; };
  return std::all_of(letters.begin(), letters.end(), is_letter) &&
         !std::all_of(letters.begin(), letters.end(), is_small);
}

}  // namespace

bool is_temporary_name(std::string_view name) {
  static constexpr std::array<std::string_view, 11> kEndings = {
      ".tmp", ".temp",       ".part",  ".partial",  "~",        ".swp",
      ".swx", ".crdownload", ".aria2", ".syncline", ".filepart"};
  if (std::any_of(kEndings.begin(), kEndings.end(),
                  [&](std::string_view end) { return ends_with(name, end); })) {
    return true;
  }
  // "model.pth.tmp.8812", the NFS client's names for deleted open files, rsync's.
  return name.find(".tmp.") != std::string_view::npos || name.substr(0, 4) == ".nfs" ||
         is_rsync_name(name);
}

}  // namespace syncline::collections::files
