// Events as server-sent events (WHATWG HTML, section 9.2). Pure.
//
//   id: 41
//   event: data_sync_completed
//   data: {"id":41,"at_ms":…}
//   <empty line>
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "facade/reports.hpp"

namespace syncline::http {

// One event as it goes over the wire. A type with other characters than [A-Za-z0-9_.-] has them
// replaced by '_', so that no event can break the framing.
std::string encode_event(const facade::EventRow& event);

// Takes a stream apart, whatever the pieces it arrives in.
class EventStreamReader {
 public:
  explicit EventStreamReader(std::size_t message_max_bytes = 1 << 20)
      : message_max_bytes_(message_max_bytes) {}

  // Calls each(data) for every complete message; false from it ends the reading.
  // Returns false when `each` did, or when a message is longer than the bound.
  template <typename Each>
  bool feed(std::string_view bytes, Each each);

 private:
  // True with the text in `data` when the line ended a message.
  bool take_line(std::string_view line, std::string& data);

  std::size_t message_max_bytes_;
  std::string line_;
  std::string data_;
};

template <typename Each>
bool EventStreamReader::feed(std::string_view bytes, Each each) {
  for (const char c : bytes) {
    if (c != '\n') {
      if (line_.size() + data_.size() >= message_max_bytes_) return false;
      line_ += c;
      continue;
    }
    std::string data;
    const bool is_complete = take_line(line_, data);
    line_.clear();
    if (is_complete && !each(data)) return false;
  }
  return true;
}

}  // namespace syncline::http
