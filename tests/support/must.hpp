// A result's value, or a failed test.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include <seriatim/result.hpp>

namespace seriatim::test {

/// The value; the test ends here with the error's text if there is none.
template <class T>
T must(Result<T> result) {
  if (!result) FAIL((std::string(result.error().name()) + ": " + result.error().message()));
  return *std::move(result);
}
inline void must(const Result<>& result) {
  if (!result) FAIL((std::string(result.error().name()) + ": " + result.error().message()));
}

}  // namespace seriatim::test
