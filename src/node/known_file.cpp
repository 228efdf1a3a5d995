#include "node/known_file.hpp"

#include <sstream>

namespace syncline::node {

using collections::files::KnownFile;

std::string encode(const KnownFile& known) {
  std::ostringstream out;
  out << to_hex(known.root) << ' ' << known.stamp.size_bytes << ' ' << known.stamp.mtime_ns << ' '
      << known.stamp.ctime_ns << ' ' << known.stamp.inode << ' ' << known.stamp.mode;
  return out.str();
}

std::optional<KnownFile> decode_known_file(std::string_view text) {
  KnownFile known;
  std::istringstream in{std::string(text)};
  std::string root;
  in >> root >> known.stamp.size_bytes >> known.stamp.mtime_ns >> known.stamp.ctime_ns >>
      known.stamp.inode >> known.stamp.mode;
  const bool is_whole = !in.fail() && in.peek() == std::istringstream::traits_type::eof();
  if (!is_whole || !core::from_hex(root, known.root)) return std::nullopt;
  return known;
}

}  // namespace syncline::node
