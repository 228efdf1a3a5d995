// A line on the terminal that shows that, and how, long work goes on.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "cli/context.hpp"
#include "syncline/client.hpp"

namespace syncline::cli {

// "[██████····] 62 %  12 MB of 20 MB, 2 transfers". Pure.
std::string bar_of(double share, std::size_t width);
std::string describe_transfers(const std::vector<TransferRow>& transfers);

// Redraws describe()'s answer a few times a second until it goes out of scope, then clears the
// line. Does nothing where err is no terminal. `describe` is called by a thread of its own.
class Progress {
 public:
  Progress(Context& context, std::string title, std::function<std::string()> describe);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  void draw_until_stopped();

  Context& context_;
  std::string title_;
  std::function<std::string()> describe_;
  std::atomic<bool> is_stopped_{false};
  std::thread thread_;
};

}  // namespace syncline::cli
