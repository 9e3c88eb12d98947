// Assertions that stay on in release. They guard against programmer errors only: bytes from a disk and
// arguments from a user are never asserted on, they become an Error.
#pragma once

namespace seriatim::base {
/// Prints the failed expression and its place on stderr and aborts.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;
}  // namespace seriatim::base

#define SERIATIM_ASSERT(expression)                   \
  (__builtin_expect(static_cast<bool>(expression), 1) \
       ? static_cast<void>(0)                         \
       : ::seriatim::base::assertion_failed(#expression, __FILE__, __LINE__))
