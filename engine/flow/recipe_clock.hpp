// The time of day that recipes go by; tests have one of their own.
#pragma once

#include <chrono>
#include <functional>

#include <seriatim/types.hpp>

namespace seriatim::flow {

/// In milliseconds. Any thread.
using RecipeClock = std::function<Timestamp()>;

inline Timestamp system_time() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace seriatim::flow
