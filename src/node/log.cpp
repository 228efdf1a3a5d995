#include "node/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <charconv>

namespace syncline::node {

void start_log() {
  auto logger = spdlog::get("syncline");
  if (!logger) logger = spdlog::stderr_logger_mt("syncline");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void log_info(const std::string& line) {
  spdlog::info("{}", line);
}
void log_warning(const std::string& line) {
  spdlog::warn("{}", line);
}
void log_error(const std::string& line) {
  spdlog::error("{}", line);
}

namespace {
// Ten thousand small files are ten thousand events, but not that many lines: a write each.
constexpr std::uint64_t kQuietBytes = 256u << 10;

bool is_small_talk(const facade::EventRow& event) {
  if (event.type != "object_found" && event.type != "object_landed") return false;
  auto bytes = event.details.find("bytes");
  std::uint64_t count = 0;
  if (bytes == event.details.end()) return false;
  const std::string& text = bytes->second;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count <= kQuietBytes;
}
}  // namespace

void log_event(const facade::EventRow& event) {
  if (is_small_talk(event)) return;
  std::string line = event.type;
  if (!event.collection.empty()) line += " " + event.collection;
  if (!event.node.empty()) line += " @" + event.node;
  line += ": " + event.message;
  if (event.type.ends_with("failed")) {
    log_warning(line);
  } else {
    log_info(line);
  }
}

}  // namespace syncline::node
