// Every call of delayed messages with an allocation that fails, each in turn: as allocation_calls_test.cpp.
#include <doctest/doctest.h>

#include <string>

#include <seriatim/flow/delayed_messages.hpp>

#include "faults/failing_new.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

using std::chrono::milliseconds;

// Makes the call with the next allocation failing, until it needs none that fails.
template <class Call>
void sweep_delayed(const char* what, Call&& call) {
  CAPTURE(what);
  bool is_met = true;
  for (std::int64_t n = 0; is_met; ++n) {
    CAPTURE(n);
    const Result<> answered = [&]() noexcept -> Result<> {
      const NewFails fails(n);
      auto answer = call();
      if (!answer.ok()) return answer.error();
      return {};
    }();
    is_met = NewFails::is_met();
    if (answered) continue;
    CAPTURE(answered.error().message());
    CHECK(answered.error().code() == Errc::out_of_memory);
    REQUIRE(n < 100'000);
  }
}

}  // namespace

TEST_CASE("memory runs out while delayed messages are scheduled, changed and delivered") {
  const OpenedEngine opened;
  const DelayedMessagesOptions options{.name = "d", .delivers_in_background = false};
  sweep_delayed("open", [&] { return DelayedMessages::open(opened.engine, options); });
  DelayedMessages delayed = must(DelayedMessages::open(opened.engine, options));
  const ProducerRecord record{.topic = "t", .value = "delayed", .partition = 0};
  const DueTime later = std::chrono::hours(1);
  const DueTime now = milliseconds(0);
  std::int64_t calls = 0;
  sweep_delayed("schedule", [&] { return delayed.schedule(record, later); });
  sweep_delayed("schedule with an id",
                [&] { return delayed.schedule(record, later, "id " + std::to_string(++calls)); });
  const std::string id = must(delayed.schedule(record, later, "id"));
  sweep_delayed("find", [&] { return delayed.find(id); });
  sweep_delayed("list", [&] { return delayed.list(DelayedListing::pending, {}, 100); });
  sweep_delayed("count", [&] { return delayed.count(); });
  sweep_delayed("reschedule", [&] {
    return delayed.reschedule(id, ++calls % 2 == 0 ? later : DueTime(milliseconds(3'000'000)));
  });
  sweep_delayed("cancel", [&] { return delayed.cancel(id); });
  CHECK_FALSE(must(delayed.find(id)));
  const std::uint64_t before = must(delayed.count());
  for (int i = 0; i < 3; ++i) must(delayed.schedule(record, now));
  sweep_delayed("deliver", [&] { return delayed.deliver(); });
  CHECK(must(delayed.count()) == before);
  CHECK(delayed.metrics().delivered == 3);
}

}  // namespace seriatim::test
