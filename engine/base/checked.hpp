// Narrowing that asserts instead of wrapping. For values the program itself made; values from a disk are
// compared with their bounds first.
#pragma once

#include <concepts>
#include <utility>

#include "base/assert.hpp"

namespace seriatim::base {

template <std::integral To, std::integral From>
constexpr To narrow(From value) noexcept {
  SERIATIM_ASSERT(std::in_range<To>(value));
  return static_cast<To>(value);
}

}  // namespace seriatim::base
