#include "producer/accumulator.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "support/random.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::producer {
namespace {

using detail::EngineImpl;
using test::code_of;
using test::must;
using test::OpenedEngine;
using test::read_all;
using test::read_values;

/// One accumulator on partition t-0 of a real engine.
struct Gathering {
  explicit Gathering(ConfigMap config = {}, ProducerOptions producer_options = {},
                     std::size_t batch_size = 1 << 20)
      : opened(1, std::move(config)),
        options(std::move(producer_options)),
        impl(EngineImpl::of(opened.engine)),
        topics(*impl, options),
        accumulator(std::make_shared<Accumulator>(
            *impl, must(impl->topic("t")), must(impl->partition("t", 0)),
            AccumulatorSettings{
                .acks = Acks::leader, .linger = std::chrono::hours(1), .batch_size = batch_size})) {}

  std::shared_ptr<detail::DeliveryState> add(std::string_view value,
                                             std::span<const HeaderView> headers = {}) {
    auto state = std::make_shared<detail::DeliveryState>();
    must(accumulator->add(*must(topics.find("t")),
                          {.value = BytesView(value), .timestamp_ms = 1000 + added++, .headers = headers},
                          {.state = state}));
    return state;
  }
  std::uint64_t batches() const { return opened.engine.metrics().appended_batches; }

  OpenedEngine opened;
  ProducerOptions options;
  std::shared_ptr<EngineImpl> impl;
  ProducerTopics topics;
  std::shared_ptr<Accumulator> accumulator;
  std::int64_t added = 0;
};

TEST_CASE("what gathered becomes one batch, in order, with its own timestamps") {
  Gathering gathering;
  std::vector<std::shared_ptr<detail::DeliveryState>> states;
  for (const char* value : {"a", "b", "c"}) states.push_back(gathering.add(value));
  CHECK(read_values(gathering.opened.engine, "t").empty());
  gathering.accumulator->drain();
  gathering.accumulator->drain();
  CHECK(gathering.batches() == 1);
  for (std::size_t i = 0; i < 3; ++i) {
    const RecordMetadata stored = must(states[i]->wait());
    CHECK(stored.offset == static_cast<Offset>(i));
    CHECK(stored.timestamp.time_since_epoch().count() == 1000 + static_cast<std::int64_t>(i));
  }
  CHECK(read_values(gathering.opened.engine, "t") == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("a batch leaves before it would exceed batch_size, and at once when it reaches it") {
  Gathering gathering({}, {}, 500);
  const std::string value(150, 'x');
  static_cast<void>(gathering.add(value));
  static_cast<void>(gathering.add(value));
  CHECK(gathering.batches() == 0);
  static_cast<void>(gathering.add(value));
  CHECK(gathering.batches() == 1);
  CHECK(must(gathering.add(std::string(600, 'y'))->wait()).offset == 3);
  CHECK(gathering.batches() == 3);
}

TEST_CASE("a call that was meant for an earlier batch does not send the one that gathers") {
  Gathering gathering;
  static_cast<void>(gathering.add("x"));
  gathering.accumulator->on_due(gathering.impl->clock.monotonic_ns());
  CHECK(gathering.batches() == 0);
  gathering.accumulator->on_due(std::numeric_limits<std::int64_t>::max());
  CHECK(gathering.batches() == 1);
}

TEST_CASE("a batch too large in sum is split in order; a record too large alone fails alone") {
  Gathering gathering(ConfigMap{{"max.message.bytes", "1000"}});
  const HeaderView headers[] = {{"h", "1"}, {"null", BytesView()}};
  test::Random random("accumulator: split");
  std::vector<std::shared_ptr<detail::DeliveryState>> states;
  std::vector<std::string> expected;
  for (int i = 0; i < 40; ++i) {
    const bool is_too_large = i % 13 == 5;
    const std::string value =
        std::to_string(i) +
        std::string(is_too_large ? 1000 : static_cast<std::size_t>(random.between(0, 600)), 'x');
    states.push_back(gathering.add(value, headers));
    if (!is_too_large) expected.push_back(value);
  }
  gathering.accumulator->drain();
  Offset next = 0;
  for (std::size_t i = 0; i < states.size(); ++i) {
    const auto outcome = states[i]->wait();
    if (i % 13 == 5) {
      CHECK(code_of(outcome) == Errc::record_too_large);
    } else {
      CHECK(must(outcome).offset == next++);
    }
  }
  const auto records = read_all(gathering.opened.engine, "t");
  CHECK(test::values_of(records) == expected);
  for (const auto& record : records) {
    REQUIRE(record.headers.size() == 2);
    CHECK(record.headers[0].second == "1");
    CHECK(record.headers[1].second == std::nullopt);
    CHECK(record.timestamp.time_since_epoch().count() == 1000 + std::stoi(*record.value));
  }
  CHECK(gathering.opened.engine.metrics().refused_appends == 3);
}

TEST_CASE("what the log refuses fails every record of the batch, and the next batch is not affected") {
  Gathering gathering;
  auto lost = gathering.add("x");
  must(gathering.opened.engine.admin().delete_topic("t"));
  gathering.accumulator->drain();
  CHECK(code_of(lost->wait()) == Errc::unknown_topic_or_partition);
  CHECK(lost->wait().error().outcome() == Outcome::not_written);
}

TEST_CASE("a record that cannot be encoded is refused and leaves the batch as it was") {
  Gathering gathering;
  auto kept = gathering.add("kept");
  CHECK(code_of(gathering.accumulator->add(*must(gathering.topics.find("t")),
                                           {.value = "x", .timestamp_ms = -5}, {})) ==
        Errc::invalid_timestamp);
  gathering.accumulator->drain();
  CHECK(must(kept->wait()).offset == 0);
  CHECK(read_values(gathering.opened.engine, "t") == std::vector<std::string>{"kept"});
}

TEST_CASE("after the engine's end nothing lingers: a record is tried at once and refused") {
  Gathering gathering;
  must(gathering.impl->close());
  auto state = std::make_shared<detail::DeliveryState>();
  const ProducerTopic topic(gathering.impl->topics.load()->at("t"), 1, gathering.options, 1);
  must(gathering.accumulator->add(topic, {.value = "x", .timestamp_ms = 1}, {.state = state}));
  REQUIRE(state->is_complete());
  CHECK(code_of(state->wait()) == Errc::closed);
}

}  // namespace
}  // namespace seriatim::producer
