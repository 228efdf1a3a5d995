// events, and --follow.
#include <algorithm>
#include <chrono>
#include <thread>

#include "cli/answer.hpp"
#include "cli/door.hpp"
#include "cli/exit_code.hpp"
#include "cli/report_text.hpp"
#include "cli/runs.hpp"

namespace syncline::cli {
namespace {

constexpr std::chrono::seconds kPauseBetweenTries(1);

bool is_asked_for(const EventRow& event, const std::vector<std::string>& types) {
  return types.empty() || std::find(types.begin(), types.end(), event.type) != types.end();
}

// Until the reader of our output is gone. A daemon that restarts is waited for; one that was never
// there, or that refuses us, is not.
int follow(Context& context, const Arguments& arguments, const Client& client) {
  const auto types = arguments.list("--type");
  const bool is_json = wants_json(arguments);
  auto last_id = static_cast<std::uint64_t>(arguments.whole("--after").value_or(0));
  bool was_connected = client.is_ready() ? true : false;
  for (;;) {
    const auto done = client.follow_events(last_id, [&](const EventRow& event) {
      was_connected = true;
      last_id = event.id;
      if (!is_asked_for(event, types)) return true;
      context.out << (is_json ? http::to_json(event) + "\n" : text_of(event, context.has_colour))
                  << std::flush;
      return context.out.good();
    });
    if (done) return kDone;
    if (!was_connected || done.error().kind != ErrorKind::kUnreachable) {
      return complain(context, done.error());
    }
    std::this_thread::sleep_for(kPauseBetweenTries);
  }
}

}  // namespace

int run_events(Context& context, const Arguments& arguments) {
  const Door door = reach(context, arguments);
  if (!door.client) return door.exit_code;
  if (arguments.has("--follow")) return follow(context, arguments, *door.client);
  auto events =
      door.client->events(static_cast<std::uint64_t>(arguments.whole("--after").value_or(0)));
  if (!events) return complain(context, events.error());
  const auto types = arguments.list("--type");
  std::erase_if(*events, [&types](const EventRow& event) { return !is_asked_for(event, types); });
  if (wants_json(arguments)) {
    print_as_json(context, http::EventsOf<EventRow>{*events});
    return kDone;
  }
  for (const EventRow& event : *events) context.out << text_of(event, context.has_colour);
  return kDone;
}

}  // namespace syncline::cli
