// What rsync tells of itself, read as it comes.
#include <algorithm>
#include <charconv>

#include "transports/ssh/rsync.hpp"

namespace syncline::transports::ssh {

namespace {

constexpr std::size_t kLineMax = 4096;  // longer ones are names, which we do not read

std::optional<std::uint64_t> number_after(std::string_view line, std::string_view label) {
  if (line.substr(0, label.size()) != label) return std::nullopt;
  line.remove_prefix(label.size());
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(line.data(), line.data() + line.size(), number);
  return parsed.ec == std::errc() ? std::optional(number) : std::nullopt;
}

}  // namespace

bool RsyncOutput::take(std::string_view bytes) {
  const std::uint64_t before = bytes_present_;
  for (const char c : bytes) {
    if (c == '\r' || c == '\n')
      take_line();
    else if (line_.size() < kLineMax)
      line_ += c;
  }
  return bytes_present_ != before;
}

void RsyncOutput::take_line() {
  std::string_view line = line_;
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  if (const auto files = number_after(line, "Number of regular files transferred: ")) {
    files_ = files;
  } else if (const auto received = number_after(line, "Total bytes received: ")) {
    received_ = *received;
  } else if (const auto sent = number_after(line, "Total bytes sent: ")) {
    sent_ = *sent;
  } else if (line.find('%') != std::string_view::npos) {
    bytes_present_ = std::max(bytes_present_, number_after(line, "").value_or(0));
  }
  line_.clear();
}

std::uint64_t RsyncOutput::wire_bytes(Direction direction) const {
  return direction == Direction::kFetch ? received_ : sent_;
}

}  // namespace syncline::transports::ssh
