// Invariants: kept on in production, they print the values and stop the process.
//
// A broken invariant is a bug of ours, never the answer to bad input: bad input is a Result.
#pragma once

#include <sstream>
#include <string>

namespace syncline::core {

[[noreturn]] void invariant_failed(const char* condition, const char* file, int line,
                                   const std::string& values);

namespace detail {
template <typename... Values>
std::string print_values(const Values&... values) {
  std::ostringstream out;
  ((out << values << ' '), ...);
  return out.str();
}
}  // namespace detail

}  // namespace syncline::core

// SYNCLINE_CHECK(acked <= written, "acked", acked, "written", written);
#define SYNCLINE_CHECK(condition, ...)                                                         \
  do {                                                                                         \
    if (!(condition)) [[unlikely]] {                                                           \
      ::syncline::core::invariant_failed(#condition, __FILE__, __LINE__,                       \
                                         ::syncline::core::detail::print_values(__VA_ARGS__)); \
    }                                                                                          \
  } while (false)
