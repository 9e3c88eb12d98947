// The loop around system calls that a signal may interrupt.
#pragma once

#include <cerrno>

namespace seriatim::os {

/// Repeats `call` while it returns -1 with EINTR.
template <class Call>
auto retry_interrupted(Call call) noexcept {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

}  // namespace seriatim::os
