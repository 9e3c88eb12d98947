// The fixture of tests of delayed messages: a topic "t", a clock that stands still, and a name, "d".
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <seriatim/flow/delayed_messages.hpp>

#include "flow/delayed/delayed_codec.hpp"
#include "flow/delayed/delayed_messages_impl.hpp"
#include "flow/recipe_clock.hpp"
#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {

using DelayedValues = std::vector<std::string>;

inline Timestamp at_ms(std::int64_t ms) { return Timestamp{std::chrono::milliseconds{ms}}; }

inline std::vector<DelayedMessage> listed(const DelayedMessages& delayed,
                                          DelayedListing which = DelayedListing::pending) {
  return must(delayed.list(which, {}, 1'000));
}

struct DelayedFixture {
  static constexpr std::int64_t start_ms = 1'700'000'000'000;

  DelayedFixture() { create_topic(engine, "t"); }
  /// Delivers when it is told to.
  DelayedMessages open(const Engine& in, Acks acks = Acks::leader) const {
    return must(detail::DelayedMessagesImpl::open(
        in, {.name = "d", .acks = acks, .delivers_in_background = false}, now()));
  }
  DelayedMessages open() const { return open(engine); }
  flow::RecipeClock now() const {
    return [this] { return at_ms(clock.wall_ms()); };
  }
  DelayedValues delivered() const { return committed_values(engine, "t"); }

  TempDir dir{};
  TempDir copies{};
  base::ManualClock clock{start_ms};
  Engine engine = open_engine_with(dir / "data", os::posix_vfs(), clock);
};

}  // namespace seriatim::test
