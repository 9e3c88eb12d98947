/// @file
/// The one exception the library throws, and only from `Result::value()`; and what becomes of those that it
/// meets: of the standard library's, where memory or threads run out.
#pragma once

#include <seriatim/language.hpp>

#include <stdexcept>

#include <seriatim/error.hpp>

namespace seriatim {
inline namespace v0 {

/// Carries an `Error` through a throw. `what()` is its name and message.
class SERIATIM_API Exception : public std::runtime_error {
 public:
  explicit Exception(Error error);
  ~Exception() override;
  const Error& error() const noexcept { return error_; }

 private:
  Error error_;
};

/// The exception that is being handled, as the `Error` with which a call answers it: out_of_memory for
/// std::bad_alloc and for a thread that the system does not give, io_error for any other. For the borders of
/// bindings and of programs built with exceptions; every function of the library that returns a `Result` has
/// this border. Functions that return a container or a string as it is (`Consumer::assignment`,
/// `RecordView::to_owned`, ...) pass on std::bad_alloc, as copying what they return would.
///
/// Call it in a catch block only.
/// Threads: any.
/// Cost: allocates nothing where memory ran out.
SERIATIM_API Error current_error() noexcept;

}  // namespace v0
}  // namespace seriatim
