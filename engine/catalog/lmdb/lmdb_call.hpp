// How this layer calls LMDB. Private to catalog/*.cpp: it includes lmdb.h.
//
// LMDB ends the process when one of its assertions fails; its handler may not return. Ours does not return
// either: it jumps back to where the call into LMDB was made, which then answers with `assertion_failed`.
// Between the two are only frames of LMDB, which is C, and of a lambda that holds nothing but references, so
// no destructor is skipped. A transaction or writer lock that LMDB held in that moment stays held: the
// environment can only be abandoned, never used or closed, and Environment does that.
#pragma once

#include <lmdb.h>

#include <string>
#include <string_view>
#include <type_traits>

#include <seriatim/error.hpp>

namespace seriatim::catalog {

/// Outside of errno's and LMDB's own numbers.
inline constexpr int assertion_failed = -40'000;

namespace detail {
int call_trapped(int (*body)(void*), void* context) noexcept;
}  // namespace detail

/// Makes a failed assertion in `env` come back from guarded(). Every call that takes this environment, or
/// anything made from it, must be made in guarded().
void trap_assertions(MDB_env* env) noexcept;

/// Calls `call`, which makes one call to LMDB and returns its int.
template <class Call>
int guarded(Call&& call) noexcept {
  using Plain = std::remove_reference_t<Call>;
  static_assert(std::is_trivially_destructible_v<Plain>, "a destructor would be jumped over");
  return detail::call_trapped([](void* context) { return (*static_cast<Plain*>(context))(); }, &call);
}

/// The message of LMDB when guarded() last answered assertion_failed in this thread.
std::string_view last_assertion() noexcept;

/// An LMDB or errno code as an Error: what failed, in which catalog, what to do next.
Error lmdb_error(int code, std::string_view doing, const std::string& directory);

}  // namespace seriatim::catalog
