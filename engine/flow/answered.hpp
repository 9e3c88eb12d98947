// The border that no exception crosses.
#pragma once

#include <type_traits>

#include <seriatim/exception.hpp>

namespace seriatim::flow {

/// The Result of `body`; where it throws, the Error that current_error() makes of it.
template <class Body>
std::invoke_result_t<const Body&> answered(const Body& body) noexcept {
  try {
    return body();
  } catch (...) {
    return current_error();
  }
}

}  // namespace seriatim::flow
