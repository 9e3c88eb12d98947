// The answer of a public handle that was moved from.
#pragma once

#include <string>
#include <string_view>

#include <seriatim/error.hpp>

namespace seriatim::base {

/// @param handle  the name of its type.
[[gnu::cold, gnu::noinline]] inline Error moved_from(std::string_view handle) {
  return {Errc::closed, "this " + std::string(handle) + " was moved from; use the one it was moved to"};
}

}  // namespace seriatim::base
