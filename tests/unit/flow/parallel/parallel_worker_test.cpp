// The handlers of a parallel consumer: one that waits or fails holds up its key only.
#include "flow/parallel/parallel_worker.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "unit/flow/parallel/parallel_fixture.hpp"

namespace seriatim::test {
namespace {

using namespace std::chrono_literals;

}  // namespace

TEST_CASE(
    "a handler that waits holds up its key only; that of one worker, no other that another can handle") {
  const ParallelFixture f;
  f.send_many(400, 100);
  Seen seen;
  Door door;
  ParallelConsumerOptions options = in_parallel(2);
  options.commit_interval = 0ms;
  ParallelConsumer consumer = f.open(options, [&](const RecordView& record) {
    if (record.value().text() == "37") door.pass();
    seen.note(record);
    return Result<>();
  });
  must(consumer.start());
  wait_until([&] { return seen.count() >= 396; });
  CHECK(seen.of("k37").empty());
  // All that is finished behind the position is kept with it.
  wait_until([&] {
    const auto committed = f.committed();
    return committed && committed->offset == 37 && committed->metadata.size() > 20;
  });
  door.open();
  wait_until([&] { return f.committed_offset() == 400; });
  CHECK(seen.of("k37") == numbers(37, 400, 100));
}

TEST_CASE("a record that fails is retried while other keys go on, and before what is behind it") {
  const ParallelFixture f;
  f.send("a", "0");
  f.send("a", "1");
  for (int i = 0; i < 50; ++i) f.send("b", std::to_string(i));
  Seen seen;
  std::atomic<std::uint32_t> attempts{0};
  ParallelConsumerOptions options = in_parallel(1);
  options.on_failure = [&](const ParallelFailure& failure) {
    CHECK(failure.record != nullptr);
    CHECK(failure.error.message().find("handling in-0 offset 0") != std::string::npos);
    attempts = failure.attempts;
    return OnFailure::retry;
  };
  work_off(
      f, options,
      [&](const RecordView& record) -> Result<> {
        // It works once all others have been handled, by the one worker.
        if (record.offset() == 0 && seen.of("b").size() < 50) throw std::runtime_error("not yet");
        seen.note(record);
        return {};
      },
      52);
  CHECK(attempts >= 1);
  CHECK(seen.of("a") == numbers(0, 2, 1));
  CHECK(seen.of("b") == numbers(0, 50, 1));
}

TEST_CASE("a record that is skipped counts as handled") {
  const ParallelFixture f;
  f.send_many(10, 2);
  ParallelConsumerOptions options = in_parallel();
  std::atomic<int> asked{0};
  options.on_failure = [&](const ParallelFailure& failure) {
    ++asked;
    return failure.attempts < 3 ? OnFailure::retry : OnFailure::skip;
  };
  Seen seen;
  work_off(
      f, options,
      [&](const RecordView& record) -> Result<> {
        if (record.offset() == 4) return Error(Errc::invalid_argument, "poison");
        seen.note(record);
        return {};
      },
      10);
  CHECK(asked == 3);
  CHECK(seen.of("k0") == std::vector<std::string>{"0", "2", "6", "8"});
}

TEST_CASE("nobody decides: what is retriable is retried, anything else stops, and the record comes again") {
  const ParallelFixture f;
  f.send_many(10, 10);
  std::atomic<int> tries{0};
  {
    ParallelConsumer consumer = f.open(in_parallel(1), [&](const RecordView& record) -> Result<> {
      if (record.offset() == 2 && tries++ == 0) return Error(Errc::storage_full, "full");
      if (record.offset() == 5) return Error(Errc::invalid_argument, "poison");
      return {};
    });
    must(consumer.start());
    const auto ended = consumer.wait();
    REQUIRE_FALSE(ended);
    CHECK(ended.error().code() == Errc::invalid_argument);
    CHECK(ended.error().message().find("handling in-0 offset 5") != std::string::npos);
    CHECK(tries >= 1);
  }
  Seen seen;
  work_off(
      f, in_parallel(),
      [&](const RecordView& record) {
        seen.note(record);
        return Result<>();
      },
      10);
  CHECK(seen.of("k5") == numbers(5, 6, 1));
  CHECK(seen.of("k0").empty());
}

TEST_CASE("a decision that throws stops, with the failure in its error") {
  const ParallelFixture f;
  f.send_many(1, 1);
  ParallelConsumerOptions options = in_parallel();
  options.on_failure = [](const ParallelFailure&) -> OnFailure { throw std::logic_error("undecided"); };
  ParallelConsumer consumer =
      f.open(options, [](const RecordView&) -> Result<> { throw std::runtime_error("poison"); });
  must(consumer.start());
  const auto ended = consumer.wait();
  REQUIRE_FALSE(ended);
  CHECK(ended.error().message().find("undecided") != std::string::npos);
  CHECK(ended.error().message().find("poison") != std::string::npos);
}

}  // namespace seriatim::test
