#include "base/clock.hpp"

#include <chrono>

namespace seriatim::base {
namespace {

class SystemClock final : public Clock {
 public:
  std::int64_t wall_ms() const noexcept override {
    using std::chrono::duration_cast;
    return duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  std::int64_t monotonic_ns() const noexcept override {
    using std::chrono::duration_cast;
    return duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace

const Clock& system_clock() noexcept {
  static const SystemClock clock;
  return clock;
}

}  // namespace seriatim::base
