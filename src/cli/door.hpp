// How a command finds the daemon it asks.
#pragma once

#include <optional>
#include <string>

#include "cli/arguments.hpp"
#include "cli/context.hpp"
#include "core/config.hpp"
#include "syncline/client.hpp"

namespace syncline::cli {

// --config, else --dir/syncline.toml, else $SYNCLINE_CONFIG, else ./syncline.toml, else
// /etc/syncline/syncline.toml. Empty, with a complaint, if none is there.
std::optional<std::string> find_config(Context& context, const Arguments& arguments);

// The listener of a configuration that a command on the same machine uses: a Unix socket before
// an open port, that before one with a token.
Result<Endpoint> endpoint_of(const core::Config& config);

// A client, or the exit code, after a complaint.
struct Door {
  std::optional<Client> client;
  int exit_code = 0;
};
// Where: --api with --token-file, else as the configuration says.
Door reach(Context& context, const Arguments& arguments);

// "syncline: what (subject)" on err.
void complain(Context& context, const std::string& what, const std::string& subject = {});
// The same for an answer, with what to do next where that is known; answers the exit code.
int complain(Context& context, const Error& error);

}  // namespace syncline::cli
