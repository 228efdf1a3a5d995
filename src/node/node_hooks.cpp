// Events out: to whom the configuration names.
#include "hooks/hooks.hpp"
#include "http/json.hpp"
#include "node/log.hpp"
#include "node/node.hpp"

namespace syncline::node {

core::Status Node::start_hooks() {
  SYNCLINE_ASSIGN(hooks_,
                  hooks::Hooks::start(config_.hooks, config_.node.id.text, clock_,
                                      [](const std::string& sentence) { log_warning(sentence); }));
  events_.listen([this](const facade::EventRow& event) {
    if (hooks_->wants(event.type)) hooks_->offer({event.type, http::to_json(event)});
  });
  return {};
}

}  // namespace syncline::node
