// The border that no exception crosses: what runs inside answers with an Error instead.
#pragma once

#include <type_traits>
#include <utility>

#include <seriatim/exception.hpp>
#include <seriatim/result.hpp>

namespace seriatim::base {

/// Returns the Result of `body`; where it throws, the Error that current_error() makes of it. For steps
/// whose failure somebody has to handle: take something back, tell who waits.
template <class Body>
std::invoke_result_t<Body&> answered(Body&& body) noexcept {
  try {
    return std::forward<Body>(body)();
  } catch (...) {
    return current_error();
  }
}

/// Runs `undo` at the end of the scope, unless `keep` was called: also where an exception leaves it.
template <class Undo>
class [[nodiscard]] Undoing {
 public:
  explicit Undoing(Undo undo) noexcept : undo_(std::move(undo)) {}
  ~Undoing() {
    if (is_wanted_) undo_();
  }
  Undoing(const Undoing&) = delete;
  Undoing& operator=(const Undoing&) = delete;
  void keep() noexcept { is_wanted_ = false; }

 private:
  Undo undo_;
  bool is_wanted_ = true;
};

}  // namespace seriatim::base
