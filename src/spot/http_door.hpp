// Short questions over HTTP to one base URL, bounded in time and size. No proxy, no redirect, no
// connection kept.
//
// Threads: ask() from one at a time; cancel() from any.
#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"
#include "core/time.hpp"
#include "spot/types.hpp"

namespace syncline::spot {

struct HttpLimits {
  // Metadata services answer from the host machine, within milliseconds. Higher: detection takes
  // longer where nobody answers; lower: a busy host is taken for absent.
  core::Duration connect_max = core::seconds(1);
  core::Duration answer_max = core::seconds(2);  // from the connection to the last byte
  std::size_t body_bytes_max = 64u << 10;        // Azure's list of events is the largest
};

class HttpDoor {
 public:
  // base_url: "http://host[:port][/prefix]". kInvalid if it is none.
  static core::Result<std::unique_ptr<HttpDoor>> open(const std::string& base_url,
                                                      const HttpLimits& limits);
  ~HttpDoor();
  HttpDoor(const HttpDoor&) = delete;
  HttpDoor& operator=(const HttpDoor&) = delete;

  core::Result<Answer> ask(const Request& request);
  // Ends the question under way (kCancelled) and refuses all later ones.
  void cancel();

 private:
  struct State;
  explicit HttpDoor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace syncline::spot
