#include "node/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

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

void log_event(const facade::EventRow& event) {
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
