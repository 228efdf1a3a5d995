// Virtual time: what will happen, in order. Equal times keep the order in which they were asked.
#pragma once

#include <functional>
#include <map>
#include <utility>

#include "core/time.hpp"

namespace syncline::simulation {

class Timeline {
 public:
  using Deed = std::function<void()>;

  core::Instant now() const { return now_; }
  void at(core::Instant when, Deed deed) {
    deeds_.emplace(std::pair(std::max(when, now_), next_++), std::move(deed));
  }
  void after(core::Duration pause, Deed deed) { at(now_ + pause, std::move(deed)); }

  // Does everything that is due until `until`, or until `is_over` says so.
  template <typename IsOver>
  void run(core::Instant until, const IsOver& is_over) {
    while (!deeds_.empty() && deeds_.begin()->first.first <= until && !is_over()) {
      auto deed = deeds_.extract(deeds_.begin());
      now_ = deed.key().first;
      deed.mapped()();
    }
    if (!is_over()) now_ = std::max(now_, until);
  }
  std::size_t size() const { return deeds_.size(); }

 private:
  core::Instant now_;
  std::uint64_t next_ = 0;
  std::map<std::pair<core::Instant, std::uint64_t>, Deed> deeds_;
};

}  // namespace syncline::simulation
