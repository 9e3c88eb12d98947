// How fast a relay is, and for how long it has to go on.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

#include <seriatim/flow/catch_up.hpp>
#include <seriatim/flow/relay.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Samples of the last ten seconds, ten a second at the most.
class RelayRate {
 public:
  /// Whether a sample at `now` would be of use.
  bool is_due(std::chrono::nanoseconds now) const noexcept;
  /// @param sample  later than those before.
  /// @param progress  its counts go in, its rates come out.
  void add(const LagSample& sample, RelayProgress& progress);

 private:
  struct Sample {
    LagSample lag{};
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
  };
  std::deque<Sample> samples_{};
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
