// GET and POST /v1/dead-letters.
#include <charconv>

#include "node/api.hpp"

namespace syncline::node {

using core::Error;
using core::ErrorKind;

namespace {

// "origin/epoch/seq"
core::Result<std::pair<core::LogId, core::Seq>> parse_id(const std::string& id) {
  const std::size_t first = id.find('/');
  const std::size_t second = id.find('/', first == std::string::npos ? first : first + 1);
  core::LogId log;
  core::Seq seq;
  const auto number = [](std::string_view text, std::uint64_t& out) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
    return !text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size();
  };
  const std::string_view text = id;
  const bool is_good = second != std::string::npos && first > 0 &&
                       number(text.substr(first + 1, second - first - 1), log.epoch.value) &&
                       number(text.substr(second + 1), seq.value);
  if (!is_good) {
    return Error{ErrorKind::kInvalid, "a dead letter is named as the list does, origin/epoch/seq",
                 id};
  }
  log.origin = core::NodeId(id.substr(0, first));
  return std::pair{log, seq};
}

}  // namespace

core::Result<std::vector<facade::DeadLetterRow>> NodeApi::dead_letters() {
  return ports_.dead_letters();
}

core::Result<http::DeadLetterAnswer> NodeApi::handle_dead_letters(
    const http::DeadLetterRequest& request) {
  const bool is_retry = request.action == "retry";
  if (!is_retry && request.action != "drop") {
    return Error{ErrorKind::kInvalid, "the action is retry or drop", request.action};
  }
  std::set<std::pair<core::LogId, core::Seq>> only;
  for (const std::string& id : request.ids) {
    SYNCLINE_ASSIGN(const auto parsed, parse_id(id));
    only.insert(parsed);
  }
  SYNCLINE_ASSIGN(
      const http::DeadLetterAnswer answer,
      ports_.handle_dead_letters(is_retry, core::CollectionName(request.collection), only));
  const std::string done = is_retry ? " merged after all, " : " dropped, ";
  emit("dead_letters_handled", request.collection,
       std::to_string(answer.changed) + " dead letters" + done + std::to_string(answer.left) +
           " left",
       {{"action", request.action}});
  return answer;
}

}  // namespace syncline::node
