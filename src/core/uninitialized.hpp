// Room for bytes that are about to be read into it, without writing zeroes there first: for blocks
// of objects that costs a tenth of a transfer.
#pragma once

#include <cstddef>
#include <string>

namespace syncline::core {

// As text.resize(size), but what is new has any content. The caller fills all of it.
void resize_for_overwrite(std::string& text, std::size_t size);

}  // namespace syncline::core
