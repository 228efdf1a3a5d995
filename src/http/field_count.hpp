// A compile-time guard: a struct that grew a field which its field list does not name does not
// compile, so no field is ever left out of the JSON in silence.
#pragma once

#include <cstddef>

namespace syncline::http {

// Compiles only if the aggregate T has exactly Count fields.
template <std::size_t Count, typename T>
void require_field_count([[maybe_unused]] T& x) {
  static_assert(Count >= 1 && Count <= 18, "add the case for this many fields below");
  // clang-format off
  if constexpr (Count == 1) { [[maybe_unused]] auto& [a] = x; }
  if constexpr (Count == 2) { [[maybe_unused]] auto& [a, b] = x; }
  if constexpr (Count == 3) { [[maybe_unused]] auto& [a, b, c] = x; }
  if constexpr (Count == 4) { [[maybe_unused]] auto& [a, b, c, d] = x; }
  if constexpr (Count == 5) { [[maybe_unused]] auto& [a, b, c, d, e] = x; }
  if constexpr (Count == 6) { [[maybe_unused]] auto& [a, b, c, d, e, f] = x; }
  if constexpr (Count == 7) { [[maybe_unused]] auto& [a, b, c, d, e, f, g] = x; }
  if constexpr (Count == 8) { [[maybe_unused]] auto& [a, b, c, d, e, f, g, h] = x; }
  if constexpr (Count == 9) { [[maybe_unused]] auto& [a, b, c, d, e, f, g, h, i] = x; }
  if constexpr (Count == 10) { [[maybe_unused]] auto& [a, b, c, d, e, f, g, h, i, j] = x; }
  if constexpr (Count == 11) { [[maybe_unused]] auto& [a, b, c, d, e, f, g, h, i, j, k] = x; }
  if constexpr (Count == 12) { [[maybe_unused]] auto& [a, b, c, d, e, f, g, h, i, j, k, l] = x; }
  if constexpr (Count == 13) { [[maybe_unused]] auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = x; }
  if constexpr (Count == 14) {
    [[maybe_unused]] auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = x; }
  if constexpr (Count == 15) {
    [[maybe_unused]] auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = x; }
  if constexpr (Count == 16) {
    [[maybe_unused]] auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = x; }
  if constexpr (Count == 17) {
    [[maybe_unused]] auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q] = x; }
  if constexpr (Count == 18) {
    [[maybe_unused]] auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r] = x; }
  // clang-format on
}

}  // namespace syncline::http
