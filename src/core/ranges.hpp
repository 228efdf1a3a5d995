// A set of sequence numbers kept as sorted, disjoint, closed ranges: what of a log a node holds.
//
// Memory is proportional to the number of gaps, not of records. Values are 1..2^63-1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace syncline::core {

struct SeqRange {
  std::uint64_t first = 0;  // inclusive, >= 1
  std::uint64_t last = 0;   // inclusive, >= first
  bool operator==(const SeqRange&) const = default;
};

class SeqSet {
 public:
  SeqSet() = default;
  static SeqSet up_to(std::uint64_t last);  // {1..last}; empty for 0

  // REQUIRES: 1 <= first <= last. Adjacent ranges join.
  void insert(std::uint64_t first, std::uint64_t last);
  void insert(const SeqSet& other);
  void erase(std::uint64_t first, std::uint64_t last);

  bool contains(std::uint64_t seq) const;
  bool contains(std::uint64_t first, std::uint64_t last) const;
  bool empty() const { return ranges_.empty(); }
  std::uint64_t count() const;
  // The largest w such that {1..w} is held; 0 if 1 is not.
  std::uint64_t watermark() const;
  std::uint64_t last() const;  // 0 if empty
  const std::vector<SeqRange>& ranges() const& { return ranges_; }
  std::vector<SeqRange> ranges() && { return std::move(ranges_); }  // of a temporary: by value

  SeqSet minus(const SeqSet& other) const;
  SeqSet intersect(const SeqSet& other) const;

  bool operator==(const SeqSet&) const = default;

 private:
  std::vector<SeqRange> ranges_;
};

// "1-500,503-600": the form in catalog facts and messages. parse refuses unsorted or overlapping
// ranges, zero, and more than `ranges_max` ranges.
std::string to_string(const SeqSet& set);
std::optional<SeqSet> parse_seq_set(std::string_view text, std::size_t ranges_max = 4096);

}  // namespace syncline::core
