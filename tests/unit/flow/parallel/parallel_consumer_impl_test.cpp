// The beginning and the end of a parallel consumer.
#include "flow/parallel/parallel_consumer_impl.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "unit/flow/parallel/parallel_fixture.hpp"

namespace seriatim::test {
namespace {

using namespace std::chrono_literals;

}  // namespace

TEST_CASE(
    "a parallel consumer begins once, ends once, and says so; a bad consumer option lets it begin again") {
  const ParallelFixture f;
  {
    ParallelConsumerOptions options = in_parallel();
    options.consumer.max_poll_records = 0;
    ParallelConsumer bad = f.open(options, accept_record);
    CHECK(code_of(bad.start()) == Errc::invalid_argument);
    CHECK(code_of(bad.run()) == Errc::invalid_argument);
  }
  ParallelConsumer consumer = f.open(in_parallel(), accept_record);
  must(consumer.start());
  CHECK(code_of(consumer.start()) == Errc::invalid_state);
  CHECK(code_of(consumer.run()) == Errc::invalid_state);
  consumer.stop();
  must(consumer.wait());
  must(consumer.wait());
  ParallelConsumer never_begun = f.open(in_parallel(), accept_record);
  never_begun.stop();
  must(never_begun.wait());
  CHECK(code_of(never_begun.start()) == Errc::closed);
  const ParallelConsumer moved = std::move(consumer);
  // NOLINTNEXTLINE(bugprone-use-after-move): what is asked.
  CHECK(code_of(consumer.start()) == Errc::closed);
  CHECK(consumer.status().handled_records == 0);
}

TEST_CASE("a stop handles and commits all that was polled") {
  const ParallelFixture f;
  f.send_many(300, 20);
  Door door;
  Seen seen;
  ParallelConsumer consumer = f.open(in_parallel(2), [&](const RecordView& record) {
    door.pass();
    seen.note(record);
    return Result<>();
  });
  must(consumer.start());
  wait_until([&] { return consumer.status().in_flight_records == 300; });
  consumer.stop();
  door.open();
  must(consumer.wait());
  CHECK(seen.count() == 300);
  CHECK(f.committed_offset() == 300);
}

TEST_CASE("a stop does not wait for a retry; what waits comes again, the rest behind it does not") {
  const ParallelFixture f;
  f.send_many(100, 10);
  ParallelConsumerOptions options = in_parallel(2);
  options.backoff.initial = 1h;
  options.backoff.max = 1h;
  options.on_failure = [](const ParallelFailure&) { return OnFailure::retry; };
  {
    ParallelConsumer consumer = f.open(options, [&](const RecordView& record) -> Result<> {
      if (record.value().text() == "3") return Error(Errc::io_error, "later");
      return {};
    });
    must(consumer.start());
    wait_until([&] { return consumer.status().handled_records == 90; });
    wait_until([&] { return consumer.status().waiting_keys == 1; });
    consumer.stop();
    must(consumer.wait());
  }
  CHECK(f.committed_offset() == 3);
  std::uint64_t spared = 0;
  ValuesByKey again = handle_rest(f, 100, &spared);
  CHECK(spared == 87);  // 90 but for the three before the position
  REQUIRE(again.size() == 10);
  for (int i = 0; i < 10; ++i)
    CHECK(again[static_cast<std::size_t>(i)] ==
          std::pair<std::string, std::string>("k3", std::to_string(i * 10 + 3)));
}

TEST_CASE(
    "a handler that never returns: wait says so, what is finished is kept, and its record comes again") {
  const ParallelFixture f;
  f.send_many(100, 100);
  Door door;
  ParallelConsumerOptions options = in_parallel(2);
  options.stop_timeout = 0ms;
  ParallelConsumer consumer = f.open(options, [&](const RecordView& record) {
    if (record.offset() == 40) door.pass();
    return Result<>();
  });
  must(consumer.start());
  wait_until([&] { return consumer.status().handled_records == 99; });
  consumer.stop();
  const auto ended = consumer.wait();
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code() == Errc::timed_out);
  CHECK(ended.error().message().find("in-0 offset 40") != std::string::npos);
  CHECK(f.committed_offset() == 40);
  // The group has been left: another one handles it, while the first handler still stands there.
  CHECK(handle_rest(f, 100) == ValuesByKey{{"k40", "40"}});
  CHECK(code_of(consumer.wait()) == Errc::timed_out);
  door.open();  // The destructor waits for it.
}

TEST_CASE("stop_now drops what no handler has; it comes again") {
  const ParallelFixture f;
  f.send_many(100, 100);
  Door door;
  Seen seen;
  {
    ParallelConsumer consumer = f.open(in_parallel(2), [&](const RecordView& record) {
      door.pass();
      seen.note(record);
      return Result<>();
    });
    must(consumer.start());
    door.wait_for(2);
    consumer.stop_now();
    door.open();
    must(consumer.wait());
  }
  CHECK(seen.count() == 2);
  ValuesByKey all = handle_rest(f, 100);
  for (const auto& value : seen.values()) all.push_back(value);
  CHECK(all.size() == 100);
  CHECK(distinct(all) == 100);
}

TEST_CASE("destroyed while handlers hold records, it waits for them, and commits them") {
  const ParallelFixture f;
  f.send_many(10, 1);
  Door door;
  std::thread opens;
  {
    ParallelConsumer consumer = f.open(in_parallel(1), [&](const RecordView&) {
      door.pass();
      return Result<>();
    });
    must(consumer.start());
    door.wait_for(1);
    consumer.stop_now();
    opens = std::thread([&] { door.open(); });
  }
  opens.join();
  CHECK(f.committed_offset() == 1);
}

TEST_CASE("a handler cannot wait for its own end, and can stop it; run polls in the caller's thread") {
  const ParallelFixture f;
  f.send_many(3, 3);
  std::atomic<int> refused{0};
  ParallelConsumer* self = nullptr;
  ParallelConsumer consumer = f.open(in_parallel(), [&](const RecordView&) -> Result<> {
    if (code_of(self->wait()) == Errc::invalid_state) ++refused;
    self->stop();
    return {};
  });
  self = &consumer;
  must(consumer.run());
  CHECK(refused == 3);
  CHECK(f.committed_offset() == 3);
}

TEST_CASE("an engine that is closed ends a parallel consumer with that error") {
  const ParallelFixture f;
  ParallelConsumer consumer = f.open(in_parallel(), accept_record);
  must(consumer.start());
  must(f.engine.close());
  CHECK(code_of(consumer.wait()) == Errc::closed);
}

}  // namespace seriatim::test
