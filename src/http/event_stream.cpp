#include "http/event_stream.hpp"

#include <cctype>
#include <utility>

#include "http/json.hpp"

namespace syncline::http {

std::string encode_event(const facade::EventRow& event) {
  std::string type = event.type.empty() ? "message" : event.type;
  for (char& c : type) {
    const bool is_plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
    if (!is_plain) c = '_';
  }
  // JSON has no raw line breaks, so the data is one line.
  return "id: " + std::to_string(event.id) + "\nevent: " + type + "\ndata: " + to_json(event) +
         "\n\n";
}

bool EventStreamReader::take_line(std::string_view line, std::string& data) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) {
    data = std::exchange(data_, {});
    return !data.empty();
  }
  constexpr std::string_view kData = "data:";
  if (!line.starts_with(kData)) return false;  // ids stand in the data, comments say nothing
  line.remove_prefix(kData.size());
  if (line.starts_with(' ')) line.remove_prefix(1);
  if (!data_.empty()) data_ += '\n';
  data_ += line;
  return false;
}

}  // namespace syncline::http
