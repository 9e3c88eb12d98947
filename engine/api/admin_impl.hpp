// A rule that several functions of `Admin` share.
#pragma once

#include <seriatim/error.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {

struct AdminImpl {
  /// Whether a partition answers this because of its files: it is told as damaged, and hides no other.
  static bool is_damage(const Error& error) noexcept {
    return error.code() == Errc::corrupt_metadata || error.code() == Errc::corrupt_record;
  }
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
