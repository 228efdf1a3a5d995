#include "core/ranges.hpp"

#include <algorithm>
#include <charconv>

#include "core/check.hpp"

namespace syncline::core {

SeqSet SeqSet::up_to(std::uint64_t last) {
  SeqSet set;
  if (last > 0) set.insert(1, last);
  return set;
}

void SeqSet::insert(std::uint64_t first, std::uint64_t last) {
  SYNCLINE_CHECK(first >= 1 && first <= last, "first", first, "last", last);
  // The common case is growth at the end.
  if (!ranges_.empty() && first == ranges_.back().last + 1) {
    ranges_.back().last = last;
    return;
  }
  auto begin =
      std::lower_bound(ranges_.begin(), ranges_.end(), first,
                       [](const SeqRange& r, std::uint64_t value) { return r.last + 1 < value; });
  auto end = begin;
  while (end != ranges_.end() && end->first <= last + 1) {
    first = std::min(first, end->first);
    last = std::max(last, end->last);
    ++end;
  }
  begin = ranges_.erase(begin, end);
  ranges_.insert(begin, SeqRange{first, last});
}

void SeqSet::insert(const SeqSet& other) {
  for (const SeqRange& r : other.ranges_) insert(r.first, r.last);
}

void SeqSet::erase(std::uint64_t first, std::uint64_t last) {
  std::vector<SeqRange> kept;
  kept.reserve(ranges_.size() + 1);
  for (const SeqRange& r : ranges_) {
    if (r.last < first || r.first > last) {
      kept.push_back(r);
      continue;
    }
    if (r.first < first) kept.push_back({r.first, first - 1});
    if (r.last > last) kept.push_back({last + 1, r.last});
  }
  ranges_ = std::move(kept);
}

bool SeqSet::contains(std::uint64_t seq) const {
  return contains(seq, seq);
}

bool SeqSet::contains(std::uint64_t first, std::uint64_t last) const {
  auto it = std::lower_bound(ranges_.begin(), ranges_.end(), first,
                             [](const SeqRange& r, std::uint64_t value) { return r.last < value; });
  return it != ranges_.end() && it->first <= first && last <= it->last;
}

std::uint64_t SeqSet::count() const {
  std::uint64_t n = 0;
  for (const SeqRange& r : ranges_) n += r.last - r.first + 1;
  return n;
}

std::uint64_t SeqSet::watermark() const {
  return !ranges_.empty() && ranges_.front().first == 1 ? ranges_.front().last : 0;
}

std::uint64_t SeqSet::last() const {
  return ranges_.empty() ? 0 : ranges_.back().last;
}

SeqSet SeqSet::minus(const SeqSet& other) const {
  SeqSet left;
  auto cut = other.ranges_.begin();
  for (const SeqRange& r : ranges_) {
    std::uint64_t from = r.first;
    while (cut != other.ranges_.end() && cut->last < from) ++cut;
    for (auto it = cut; it != other.ranges_.end() && it->first <= r.last; ++it) {
      if (it->first > from) left.ranges_.push_back({from, it->first - 1});
      from = it->last + 1;
    }
    if (from <= r.last) left.ranges_.push_back({from, r.last});
  }
  return left;
}

SeqSet SeqSet::intersect(const SeqSet& other) const {
  return minus(minus(other));
}

std::string to_string(const SeqSet& set) {
  std::string text;
  for (const SeqRange& r : set.ranges()) {
    if (!text.empty()) text += ',';
    text += std::to_string(r.first);
    if (r.last != r.first) text += '-' + std::to_string(r.last);
  }
  return text;
}

std::optional<SeqSet> parse_seq_set(std::string_view text, std::size_t ranges_max) {
  SeqSet set;
  std::size_t count = 0;
  while (!text.empty()) {
    if (++count > ranges_max) return std::nullopt;
    std::uint64_t first = 0;
    auto read = std::from_chars(text.data(), text.data() + text.size(), first);
    if (read.ec != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    std::uint64_t last = first;
    if (!text.empty() && text.front() == '-') {
      text.remove_prefix(1);
      read = std::from_chars(text.data(), text.data() + text.size(), last);
      if (read.ec != std::errc{}) return std::nullopt;
      text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    }
    if (!text.empty()) {
      if (text.front() != ',' || text.size() == 1) return std::nullopt;
      text.remove_prefix(1);
    }
    constexpr std::uint64_t kMax = (std::uint64_t{1} << 63) - 1;
    if (first == 0 || last < first || last > kMax || first <= set.last()) return std::nullopt;
    set.insert(first, last);
  }
  return set;
}

}  // namespace syncline::core
