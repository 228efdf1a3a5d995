#include "cli/progress.hpp"

#include <algorithm>
#include <chrono>
#include <ostream>

#include "core/text.hpp"

namespace syncline::cli {

using Clock = std::chrono::steady_clock;

std::string bar_of(double share, std::size_t width) {
  const auto full =
      static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width));
  std::string bar = "[";
  for (std::size_t i = 0; i < width; ++i) bar += i < full ? "█" : "·";
  return bar + "]";
}

std::string describe_transfers(const std::vector<TransferRow>& transfers) {
  double total = 0;
  double done = 0;
  double rate = 0;
  std::uint64_t running = 0;
  for (const TransferRow& t : transfers) {
    if (t.state != "running" && t.state != "queued" && t.state != "verifying") continue;
    total += static_cast<double>(t.bytes_total);
    done += static_cast<double>(t.bytes_done);
    rate += t.rate_bytes_per_s;
    ++running;
  }
  if (running == 0) return "";
  const double share = total > 0 ? done / total : 0;
  std::string text = bar_of(share, 24) + " " + core::say_percent(100 * share) + "  " +
                     core::say_bytes(done) + " of " + core::say_bytes(total);
  if (rate > 0) text += ", " + core::say_bytes(rate) + "/s";
  return text + ", " + core::say_count(running, "transfer");
}

Progress::Progress(Context& context, std::string title, std::function<std::string()> describe)
    : context_(context), title_(std::move(title)), describe_(std::move(describe)) {
  if (context_.is_err_terminal) thread_ = std::thread([this] { draw_until_stopped(); });
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  is_stopped_ = true;
  thread_.join();
  context_.err << "\r\033[K" << std::flush;
}

void Progress::draw_until_stopped() {
  // Nothing for work that is over before anybody looked, and a steady pace after.
  constexpr std::chrono::milliseconds kTick(50);
  constexpr int kTicksBetweenDraws = 6;
  const auto began = Clock::now();
  for (int tick = 1; !is_stopped_; ++tick) {
    std::this_thread::sleep_for(kTick);
    if (tick % kTicksBetweenDraws != 0 || is_stopped_) continue;
    const double elapsed = std::chrono::duration<double>(Clock::now() - began).count();
    const std::string said = describe_();
    context_.err << "\r\033[K" << title_ << "  " << (said.empty() ? "" : said + "  ")
                 << core::say_number(elapsed, 0) << " s" << std::flush;
  }
}

}  // namespace syncline::cli
