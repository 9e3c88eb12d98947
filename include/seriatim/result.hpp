/// @file
/// `Result<T>`: a value or an `Error`.
#pragma once

#include <seriatim/language.hpp>

#include <memory>
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
/// (C++23) would; and a std::variant, which may also be neither, costs a fifth of the time to compile
/// whatever returns one. `T` defaults to void: success carries nothing then. `T` moves without throwing.
/// Threads: as any value type.
template <class T = void>
class [[nodiscard]] Result {
 public:
  using value_type = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  Result() noexcept requires std::is_void_v<T> : value_(), ok_(true) {}
  // Converting on purpose: `return value;` and `return error;` are what it is for.
  // NOLINTBEGIN(google-explicit-constructor)
  Result(const value_type& value) requires std::is_copy_constructible_v<value_type> : value_(value),
                                                                                      ok_(true) {}
  Result(value_type&& value) noexcept : value_(std::move(value)), ok_(true) {}
  Result(Error error) noexcept : error_(std::move(error)), ok_(false) {}
  // NOLINTEND(google-explicit-constructor)

  Result(const Result& other) requires std::is_copy_constructible_v<value_type> : ok_(other.ok_) {
    if (ok_) {
      std::construct_at(&value_, other.value_);
    } else {
      std::construct_at(&error_, other.error_);
    }
  }
  Result(Result&& other) noexcept : ok_(other.ok_) { take(std::move(other)); }
  Result& operator=(const Result& other) requires std::is_copy_constructible_v<value_type> {
    if (this != &other) *this = Result(other);
    return *this;
  }
  Result& operator=(Result&& other) noexcept {
    if (this == &other) return *this;
    destroy();
    ok_ = other.ok_;
    take(std::move(other));
    return *this;
  }
  ~Result() { destroy(); }

  bool ok() const noexcept { return ok_; }
  explicit operator bool() const noexcept { return ok(); }

  /// The error. Only when !ok().
  const Error& error() const& noexcept { return error_; }
  Error&& error() && noexcept { return std::move(error_); }

  /// The value. Only when ok().
  value_type& operator*() & noexcept { return value_; }
  const value_type& operator*() const& noexcept { return value_; }
  /// By value, not by reference, so that `for (auto& record : *consumer.poll(timeout))` keeps what it
  /// iterates over.
  value_type operator*() && { return std::move(value_); }
  value_type* operator->() noexcept { return &value_; }
  const value_type* operator->() const noexcept { return &value_; }

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
    return std::move(value_);
  }

  /// The value, or `fallback` if there is none.
  template <class U>
  value_type value_or(U&& fallback) && {
    return ok() ? std::move(**this) : static_cast<value_type>(std::forward<U>(fallback));
  }

 private:
  static_assert(std::is_nothrow_move_constructible_v<value_type>,
                "what a Result holds has to be moved without throwing");

  void check() const {
    if (!ok()) throw_error(error());
  }
  void take(Result&& other) noexcept {
    if (ok_) {
      std::construct_at(&value_, std::move(other.value_));
    } else {
      std::construct_at(&error_, std::move(other.error_));
    }
  }
  void destroy() noexcept {
    if (ok_) {
      std::destroy_at(&value_);
    } else {
      std::destroy_at(&error_);
    }
  }

  union {
    value_type value_;
    Error error_;
  };
  bool ok_;
};

}  // namespace v0
}  // namespace seriatim
