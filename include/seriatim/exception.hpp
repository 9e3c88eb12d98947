/// @file
/// The one exception the library throws, and only from `Result::value()`.
#pragma once

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

}  // namespace v0
}  // namespace seriatim
