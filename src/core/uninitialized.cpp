#include "core/uninitialized.hpp"

namespace syncline::core {

// C++23 has it; this file alone is compiled as such (CMakeLists.txt of the room).
void resize_for_overwrite(std::string& text, std::size_t size) {
#ifdef __cpp_lib_string_resize_and_overwrite
  // The size asked for, not the one given: libstdc++ 12 hands the grown capacity over.
  text.resize_and_overwrite(size, [size](char*, std::size_t) { return size; });
#else
  text.resize(size);
#endif
}

}  // namespace syncline::core
