// flush, verify, notify, remove, dead-letter.
#include "cli/answer.hpp"
#include "cli/door.hpp"
#include "cli/exit_code.hpp"
#include "cli/progress.hpp"
#include "cli/report_text.hpp"
#include "cli/runs.hpp"
#include "core/text.hpp"

namespace syncline::cli {
namespace {

constexpr double kFlushDeadlineS = 60;

std::string describe_pending(const Client& client) {
  const auto status = client.status();
  if (!status) return "";
  std::uint64_t pending = 0;
  double bytes = 0;
  for (const CollectionStatus& c : status->collections) {
    pending += c.pending;
    bytes += static_cast<double>(c.pending_bytes);
  }
  return core::say_count(pending, "unit") + " to go, " + core::say_bytes(bytes);
}

}  // namespace

int run_flush(Context& context, const Arguments& arguments) {
  const Door door = reach(context, arguments);
  if (!door.client) return door.exit_code;
  const Client& client = *door.client;
  const int acks =
      static_cast<int>(std::min<std::int64_t>(arguments.whole("--acks").value_or(0), 1'000'000));
  const auto flushed = [&] {
    const Progress progress(context, "flushing", [&client] { return describe_pending(client); });
    return client.flush(acks, arguments.number("--deadline").value_or(kFlushDeadlineS));
  }();
  if (!flushed) return complain(context, flushed.error());
  if (wants_json(arguments)) {
    print_as_json(context, *flushed);
  } else {
    context.out << text_of(*flushed, context.has_colour);
  }
  return exit_code_of(*flushed);
}

int run_verify(Context& context, const Arguments& arguments) {
  const Door door = reach(context, arguments);
  if (!door.client) return door.exit_code;
  const auto reports = [&] {
    const Progress progress(context, "re-hashing and comparing", [] { return std::string(); });
    return door.client->verify(arguments.list("TYPE"));
  }();
  if (!reports) return complain(context, reports.error());
  if (wants_json(arguments)) {
    print_as_json(context, http::VerifyReportsOf<VerifyReport>{*reports});
  } else {
    context.out << text_of(*reports, context.has_colour);
  }
  int code = kDone;
  for (const VerifyReport& report : *reports) code = std::max(code, exit_code_of(report));
  return code;
}

int run_remove(Context& context, const Arguments& arguments) {
  const Door door = reach(context, arguments);
  if (!door.client) return door.exit_code;
  const std::string node = arguments.text("NODE");
  const auto done = door.client->remove_node(node);
  if (!done) return complain(context, done.error());
  context.out << (wants_json(arguments)
                      ? "{\"is_removed\":true}"
                      : node +
                            " is out of the fleet; a machine of that name has to join anew, under "
                            "another name.")
              << "\n";
  return kDone;
}

int run_dead_letter(Context& context, const Arguments& arguments) {
  const Door door = reach(context, arguments);
  if (!door.client) return door.exit_code;
  const std::string action = arguments.text("ACTION");
  if (action == "list") {
    const auto rows = door.client->dead_letters();
    if (!rows) return complain(context, rows.error());
    if (wants_json(arguments)) {
      print_as_json(context, http::DeadLettersOf<DeadLetterRow>{*rows});
    } else {
      context.out << text_of(*rows, context.has_colour);
    }
    return kDone;
  }
  const std::vector<std::string> ids = arguments.list("ID");
  const auto done = action == "retry" ? door.client->retry_dead_letters(ids)
                                      : door.client->drop_dead_letters(ids);
  if (!done) return complain(context, done.error());
  if (wants_json(arguments)) {
    print_as_json(context, *done);
  } else {
    context.out << done->changed << (action == "retry" ? " merged" : " dropped") << ", "
                << done->left << " left\n";
  }
  if (action != "retry" || done->left == 0) return kDone;
  return done->changed > 0 ? kPartlyDone : kFailed;
}

int run_notify(Context& context, const Arguments& arguments) {
  std::map<std::string, std::string> details;
  for (const std::string& pair : arguments.list("NAME=VALUE")) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      complain(context, "notify: write a detail as NAME=VALUE, not '" + pair + "'");
      return kUsage;
    }
    details[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  const Door door = reach(context, arguments);
  if (!door.client) return door.exit_code;
  const auto done = door.client->notify(arguments.text("EVENT"), details);
  if (!done) return complain(context, done.error());
  context.out << (wants_json(arguments) ? "{\"is_accepted\":true}" : "The daemon knows.") << "\n";
  return kDone;
}

namespace {
int pause(Context& context, const Arguments& arguments, bool is_paused) {
  const Door door = reach(context, arguments);
  if (!door.client) return door.exit_code;
  const std::string collection = arguments.text("TYPE");
  const auto done = door.client->pause(collection, is_paused);
  if (!done) return complain(context, done.error());
  const std::string what = collection.empty() ? "All transfers of files" : collection;
  context.out << (wants_json(arguments) ? "{\"is_accepted\":true}"
                  : is_paused ? what + " paused on this node, until 'syncline resume' or a restart."
                              : what + " go on.")
              << "\n";
  return kDone;
}
}  // namespace

int run_pause(Context& context, const Arguments& arguments) {
  return pause(context, arguments, true);
}

int run_resume(Context& context, const Arguments& arguments) {
  return pause(context, arguments, false);
}

int run_rotate_key(Context& context, const Arguments& arguments) {
  const Door door = reach(context, arguments);
  if (!door.client) return door.exit_code;
  const auto done = door.client->rotate_key();
  if (!done) return complain(context, done.error());
  context.out << (wants_json(arguments)
                      ? "{\"is_accepted\":true}"
                      : "A new key is on its way; each node uses it once every live node has it. "
                        "'syncline status' says whom it waits for.")
              << "\n";
  return kDone;
}

}  // namespace syncline::cli
