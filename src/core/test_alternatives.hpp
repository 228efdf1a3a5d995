// What the tests of cores ask of a list of actions: those of one kind.
#pragma once

#include <variant>
#include <vector>

namespace syncline::core {

// The elements of `list` that hold a T, in their order.
template <typename T, typename Variant>
std::vector<T> all_of_type(const std::vector<Variant>& list) {
  std::vector<T> found;
  for (const Variant& one : list) {
    if (const T* held = std::get_if<T>(&one)) found.push_back(*held);
  }
  return found;
}

}  // namespace syncline::core
