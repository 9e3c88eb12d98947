/// @file
/// `Result<T>`: a value or an `Error`.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <seriatim/error.hpp>
#include <seriatim/export.hpp>

namespace seriatim {
inline namespace v0 {

/// Throws `Exception` (see exception.hpp) where exceptions are enabled in the library; it always is.
/// Only `Result::value()` calls it. A caller built with -fno-exceptions must not call `value()` on an error.
[[noreturn]] SERIATIM_API void throw_error(const Error& error);

/// A value of type T, or the reason why there is none.
///
/// An own type on purpose: its layout must not depend on the caller's -std, as an alias of std::expected
/// (C++23) would. `T` defaults to void: success carries nothing then.
/// Threads: as any value type.
template <class T = void>
class [[nodiscard]] Result {
 public:
  using value_type = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  Result() requires std::is_void_v<T> : state_(std::in_place_index<0>) {}
  // Converting on purpose: `return value;` and `return error;` are what it is for.
  // NOLINTBEGIN(google-explicit-constructor)
  Result(value_type value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  // NOLINTEND(google-explicit-constructor)

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  /// The error. Only when !ok().
  const Error& error() const& noexcept { return *std::get_if<1>(&state_); }
  Error&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

  /// The value. Only when ok().
  value_type& operator*() & noexcept { return *std::get_if<0>(&state_); }
  const value_type& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  /// By value, not by reference, so that `for (auto& record : *consumer.poll(timeout))` keeps what it
  /// iterates over.
  value_type operator*() && { return std::move(*std::get_if<0>(&state_)); }
  value_type* operator->() noexcept { return std::get_if<0>(&state_); }
  const value_type* operator->() const noexcept { return std::get_if<0>(&state_); }

  /// The value; throws `Exception` if there is none. For those who like exceptions.
  value_type& value() & {
    check();
    return **this;
  }
  const value_type& value() const& {
    check();
    return **this;
  }
  value_type value() && {
    check();
    return std::move(*std::get_if<0>(&state_));
  }

  /// The value, or `fallback` if there is none.
  template <class U>
  value_type value_or(U&& fallback) && {
    return ok() ? std::move(**this) : static_cast<value_type>(std::forward<U>(fallback));
  }

 private:
  void check() const {
    if (!ok()) throw_error(error());
  }

  std::variant<value_type, Error> state_;
};

}  // namespace v0
}  // namespace seriatim
