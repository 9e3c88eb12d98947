// `ParallelConsumer`: its options, its orders, and what it does with failures.
#include <seriatim/flow/parallel_consumer.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <functional>
#include <limits>
#include <set>
#include <stdexcept>

#include "unit/flow/parallel/parallel_fixture.hpp"

namespace seriatim::test {
namespace {

using namespace std::chrono_literals;

const auto accepts = [](const RecordView&) { return Result<>(); };

Errc parallel_refusal(const ParallelFixture& f, const std::function<void(ParallelConsumerOptions&)>& change) {
  ParallelConsumerOptions options = in_parallel();
  change(options);
  return code_of(ParallelConsumer::open(f.engine, options, accepts));
}

/// Works with the options until so many records of partition 0 are committed.
void work_off(const ParallelFixture& f, const ParallelConsumerOptions& options,
              const ParallelHandler& handler, Offset until) {
  ParallelConsumer consumer = f.open(options, handler);
  must(consumer.start());
  wait_until([&] { return f.committed_offset() >= until; });
  consumer.stop();
  must(consumer.wait());
}

std::vector<std::string> numbers(int first, int end, int step) {
  std::vector<std::string> values;
  for (int i = first; i < end; i += step) values.push_back(std::to_string(i));
  return values;
}

}  // namespace

TEST_CASE("options of a parallel consumer out of range are refused by name, before anything begins") {
  const ParallelFixture f;
  using O = ParallelConsumerOptions;
  CHECK(parallel_refusal(f, [](O&) {}) == Errc{});
  const std::vector<std::function<void(O&)>> changes{
      [](O& o) { o.group_id.clear(); },
      [](O& o) { o.topics.clear(); },
      [](O& o) { o.pattern = {"i."}; },
      [](O& o) { o.order = static_cast<ParallelOrder>(3); },
      [](O& o) { o.workers = 0; },
      [](O& o) { o.workers = 1'001; },
      [](O& o) { o.acks = Acks::none; },
      [](O& o) { o.backoff.initial = -1ms; },
      [](O& o) { o.backoff.max = -1ms; },
      [](O& o) { o.backoff.multiplier = 0.9; },
      [](O& o) { o.backoff.multiplier = 1'000.5; },
      [](O& o) { o.backoff.multiplier = std::numeric_limits<double>::quiet_NaN(); },
      [](O& o) { o.backoff.jitter = -0.1; },
      [](O& o) { o.backoff.jitter = 1.1; },
      [](O& o) { o.max_in_flight_records = 0; },
      [](O& o) { o.max_in_flight_records = 10'000'001; },
      [](O& o) { o.max_in_flight_bytes = 0; },
      [](O& o) { o.commit_interval = -1ms; },
      [](O& o) { o.commit_records = 0; },
      [](O& o) { o.stop_timeout = -1ms; },
      [](O& o) { o.revoke_timeout = -1ms; },
      [](O& o) { o.consumer.group_id = "other"; },
      [](O& o) { o.consumer.auto_commit = true; }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    CAPTURE(i);
    CHECK(parallel_refusal(f, changes[i]) == Errc::invalid_argument);
  }
  CHECK(code_of(ParallelConsumer::open(f.engine, in_parallel(), {})) == Errc::invalid_argument);
}

TEST_CASE(
    "a parallel consumer begins once, ends once, and says so; a bad consumer option lets it begin again") {
  const ParallelFixture f;
  {
    ParallelConsumerOptions options = in_parallel();
    options.consumer.max_poll_records = 0;
    ParallelConsumer bad = f.open(options, accepts);
    CHECK(code_of(bad.start()) == Errc::invalid_argument);
    CHECK(code_of(bad.run()) == Errc::invalid_argument);
  }
  ParallelConsumer consumer = f.open(in_parallel(), accepts);
  must(consumer.start());
  CHECK(code_of(consumer.start()) == Errc::invalid_state);
  CHECK(code_of(consumer.run()) == Errc::invalid_state);
  consumer.stop();
  must(consumer.wait());
  must(consumer.wait());
  ParallelConsumer never_begun = f.open(in_parallel(), accepts);
  never_begun.stop();
  must(never_begun.wait());
  CHECK(code_of(never_begun.start()) == Errc::closed);
  const ParallelConsumer moved = std::move(consumer);
  // NOLINTNEXTLINE(bugprone-use-after-move): what is asked.
  CHECK(code_of(consumer.start()) == Errc::closed);
  CHECK(consumer.status().handled_records == 0);
}

TEST_CASE("each record is handled once, those of a key one after the other and in their order") {
  const ParallelFixture f(3);
  f.send_many(6'000, 50, 3);
  Seen seen;
  std::array<std::atomic<int>, 50> inside{};
  std::atomic<bool> overlapped{false};
  ParallelConsumerOptions options = in_parallel();
  options.consumer.max_poll_records = 97;
  ParallelConsumer consumer = f.open(options, [&](const RecordView& record) -> Result<> {
    auto& of_key = inside.at(static_cast<std::size_t>(std::stoi(text_of(record.key()).substr(1))));
    if (++of_key != 1) overlapped = true;
    seen.note(record);
    --of_key;
    return {};
  });
  must(consumer.start());
  wait_until([&] { return seen.count() >= 6'000; });
  consumer.stop();
  must(consumer.wait());
  CHECK_FALSE(overlapped);
  for (int key = 0; key < 50; ++key) CHECK(seen.of("k" + std::to_string(key)) == numbers(key, 6'000, 50));
  for (PartitionId i = 0; i < 3; ++i) {
    CHECK(f.committed(i)->metadata.empty());
    CHECK(f.committed_offset(i) == must(must(f.engine.consumer()).end_offset({"in", i})));
  }
  CHECK(consumer.status().handled_records == 6'000);
  CHECK(consumer.status().in_flight_records == 0);
}

TEST_CASE("order per partition is that of all its records, whatever their keys") {
  const ParallelFixture f;
  f.send_many(500, 7);
  Seen seen;
  ParallelConsumerOptions options = in_parallel();
  options.order = ParallelOrder::per_partition;
  work_off(
      f, options,
      [&](const RecordView& record) {
        seen.note(record);
        return Result<>();
      },
      500);
  std::vector<std::string> values;
  for (const auto& [key, value] : seen.values()) values.push_back(value);
  CHECK(values == numbers(0, 500, 1));
}

TEST_CASE("without an order, and without a key, records of one key are with two handlers at once") {
  for (const ParallelOrder order : {ParallelOrder::none, ParallelOrder::per_key}) {
    const ParallelFixture f;
    {
      Producer producer = must(f.engine.producer({.acks = Acks::leader}));
      const bool has_key = order == ParallelOrder::none;
      for (int i = 0; i < 2; ++i)
        must(
            producer.send_sync({.topic = "in", .key = has_key ? BytesView("k") : BytesView(), .value = "v"}));
    }
    Door door;
    ParallelConsumerOptions options = in_parallel();
    options.order = order;
    ParallelConsumer consumer = f.open(options, [&](const RecordView&) {
      door.pass();
      return Result<>();
    });
    must(consumer.start());
    door.wait_for(2);
    door.open();
    consumer.stop();
    must(consumer.wait());
    CHECK(f.committed_offset() == 2);
  }
}

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
  wait_until([&] { return f.committed() && f.committed()->metadata.size() > 20; });
  CHECK(f.committed_offset() == 37);
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
  ParallelConsumer consumer = f.open(in_parallel(), accepts);
  must(consumer.start());
  must(f.engine.close());
  CHECK(code_of(consumer.wait()) == Errc::closed);
}

TEST_CASE(
    "no more is polled than may be in flight, by records and by bytes, and it goes on when there is space") {
  for (const bool by_bytes : {false, true}) {
    const ParallelFixture f;
    f.send_many(200, 200);
    Door door;
    ParallelConsumerOptions options = in_parallel(2);
    options.consumer.max_poll_records = 10;
    options.max_in_flight_records = by_bytes ? 10'000 : 30;
    if (by_bytes) options.max_in_flight_bytes = 100;
    ParallelConsumer consumer = f.open(options, [&](const RecordView&) {
      door.pass();
      return Result<>();
    });
    must(consumer.start());
    door.wait_for(2);
    wait_until([&] {
      const ParallelStatus status = consumer.status();
      return by_bytes ? status.in_flight_bytes >= 100 : status.in_flight_records >= 30;
    });
    // The poller looks every 20 ms at least: it would poll more, if it did.
    std::this_thread::sleep_for(100ms);
    const ParallelStatus status = consumer.status();
    CHECK(status.in_flight_records < (by_bytes ? 100 : 40));
    CHECK(status.in_flight_bytes < 200);
    door.open();
    wait_until([&] { return f.committed_offset() == 200; });
  }
}

}  // namespace seriatim::test
