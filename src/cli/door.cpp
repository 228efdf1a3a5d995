#include "cli/door.hpp"

#include <filesystem>
#include <ostream>

#include "cli/exit_code.hpp"
#include "cli/table.hpp"
#include "env/config_file.hpp"
#include "http/listen_address.hpp"
#include "http/token.hpp"

namespace syncline::cli {
namespace {

std::string absolute(const Context& context, const std::string& path) {
  const std::filesystem::path file(path);
  return file.is_absolute() ? path : (context.working_directory / file).lexically_normal().string();
}

bool is_file(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

// A wildcard is where one listens, not where one calls.
std::string callable(const std::string& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  return host == "::" ? "::1" : host;
}

int preference(http::ListenerKind kind) {
  switch (kind) {
    case http::ListenerKind::kUnix:
      return 0;
    case http::ListenerKind::kOpen:
      return 1;
    case http::ListenerKind::kToken:
      return 2;
    case http::ListenerKind::kTls:
      return 3;
  }
  return 4;
}

Error as_error(const core::Error& error) {
  return Error{ErrorKind::kInvalid, error.what, error.subject, false};
}

Result<std::string> token_of(const core::Config& config) {
  const bool is_named = !config.api.token_file.empty();
  auto token =
      http::read_token(is_named ? config.api.token_file : config.node.state_dir + "/api.token");
  if (!token.ok()) return as_error(token.error());
  return *token;
}

}  // namespace

void complain(Context& context, const std::string& what, const std::string& subject) {
  const std::string tail = subject.empty() ? "" : " (" + printable(subject) + ")";
  context.err << "syncline: " << printable(what) << tail << "\n";
}

int complain(Context& context, const Error& error) {
  complain(context, error.what, error.subject);
  return exit_code_of(error);
}

std::optional<std::string> find_config(Context& context, const Arguments& arguments) {
  std::string named = arguments.text("--config");
  if (named.empty() && arguments.has("--dir")) named = arguments.text("--dir") + "/syncline.toml";
  if (named.empty()) named = context.environment("SYNCLINE_CONFIG");
  if (!named.empty()) {
    named = absolute(context, named);
    if (is_file(named)) return named;
    complain(context, "there is no such configuration file", named);
    return std::nullopt;
  }
  for (const char* usual : {"syncline.toml", "/etc/syncline/syncline.toml"}) {
    const std::string path = absolute(context, usual);
    if (is_file(path)) return path;
  }
  complain(context,
           "there is no syncline.toml here; run 'syncline init' or 'syncline join', or name one "
           "with --config or --dir");
  return std::nullopt;
}

Result<Endpoint> endpoint_of(const core::Config& config) {
  std::optional<http::ListenAddress> best;
  for (const std::string& entry : config.node.http_listen) {
    const auto parsed = http::parse_listen_address(entry);
    if (!parsed.ok()) return as_error(parsed.error());
    const bool is_usable = parsed->port != 0 || parsed->kind == http::ListenerKind::kUnix;
    if (is_usable && (!best || preference(parsed->kind) < preference(best->kind))) best = *parsed;
  }
  if (!best) {
    return Error{ErrorKind::kInvalid, "the configuration has no listener that can be asked",
                 "node.http_listen", false};
  }
  Endpoint endpoint;
  if (best->kind == http::ListenerKind::kUnix) {
    endpoint.address = "unix:" + best->path;
    return endpoint;
  }
  const bool is_tls = best->kind == http::ListenerKind::kTls;
  endpoint.address =
      (is_tls ? "https://" : "http://") + http::host_and_port(callable(best->host), best->port);
  if (best->kind == http::ListenerKind::kOpen) return endpoint;
  if (is_tls) {
    const std::string identity = config.node.state_dir + "/identity/";
    endpoint.certificate = identity + "node.pem";
    endpoint.key = identity + "node-key.pem";
    endpoint.authority = identity + "ca.pem";
    return endpoint;
  }
  auto token = token_of(config);
  if (!token) return token.error();
  endpoint.token = *token;
  return endpoint;
}

Door reach(Context& context, const Arguments& arguments) {
  Endpoint endpoint;
  if (arguments.has("--api")) {
    endpoint.address = arguments.text("--api");
    if (arguments.has("--token-file")) {
      const auto token = http::read_token(absolute(context, arguments.text("--token-file")));
      if (!token.ok()) return {std::nullopt, complain(context, as_error(token.error()))};
      endpoint.token = *token;
    }
  } else {
    const auto path = find_config(context, arguments);
    if (!path) return {std::nullopt, kUsage};
    const auto config = env::load_config(*path);
    if (!config.ok()) return {std::nullopt, complain(context, as_error(config.error()))};
    auto found = endpoint_of(*config);
    if (!found) return {std::nullopt, complain(context, found.error())};
    endpoint = std::move(*found);
  }
  auto client = Client::connect(endpoint);
  if (!client) {
    complain(context, client.error());
    return {std::nullopt, kUsage};
  }
  return {std::move(*client), kDone};
}

}  // namespace syncline::cli
