// `ParallelConsumer`: its options and its orders.
#include <seriatim/flow/parallel_consumer.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "unit/flow/parallel/parallel_fixture.hpp"

namespace seriatim::test {
namespace {

using namespace std::chrono_literals;

Errc parallel_refusal(const ParallelFixture& f, const std::function<void(ParallelConsumerOptions&)>& change) {
  ParallelConsumerOptions options = in_parallel();
  change(options);
  return code_of(ParallelConsumer::open(f.engine, options, accept_record));
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

}  // namespace seriatim::test
