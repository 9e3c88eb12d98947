// The fixture of tests of retry consumers: a topic "in", group g, retries that are due at once and come back
// when the test says so.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/flow/retry_consumer.hpp>

#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {

using Lines = std::vector<std::string>;

inline constexpr std::chrono::milliseconds at_once{0};

inline RetryConsumerOptions retrying(std::uint32_t max_attempts = 3) {
  return {.group_id = "g",
          .topics = {"in"},
          .policy = RetryPolicy::fixed(at_once, max_attempts),
          .acks = Acks::leader,
          .delivers_in_background = false};
}

/// Until nothing is left to handle, nor due: a poll may bring partitions only.
inline Result<> settle(RetryConsumer& consumer) {
  for (int quiet = 0; quiet < 3; ++quiet) {
    auto done = consumer.run_once(at_once);
    if (!done) return done.error();
    auto delivered = consumer.deliver_retries();
    if (!delivered) return delivered.error();
    if (*done + *delivered > 0) quiet = -1;
  }
  return {};
}

struct RetryFixture {
  explicit RetryFixture(PartitionId partitions = 1, EngineOptions options = {})
      : engine(open_engine(directory / "data", std::move(options))) {
    create_topic(engine, "in", partitions);
  }

  void send(const std::string& value, BytesView key = {}, PartitionId partition = 0) const {
    Producer producer = must(engine.producer());
    must(producer.send_sync({.topic = "in", .key = key, .value = value, .partition = partition}));
  }
  RetryConsumer open(RetryConsumerOptions options, RetryHandler handler) const {
    return must(RetryConsumer::open(engine, std::move(options), std::move(handler)));
  }

  TempDir directory;
  Engine engine;
};

inline std::string value_at(const RecordView& record) { return std::string(record.value().text()); }

/// Fails so many times for a value; then handles it. Keeps a line for each call: "value attempt".
struct FailingHandler {
  std::map<std::string, int> failures{};
  std::vector<std::string> calls{};

  RetryHandler handler() {
    return [this](const RecordView& record, const RetryAttempt& attempt, RetryOutput&) -> Result<> {
      calls.push_back(value_at(record) + " " + std::to_string(attempt.number));
      if (failures[value_at(record)]-- > 0) return Error(Errc::io_error, "no answer");
      return {};
    };
  }
};

inline std::string header_of(const OwnedRecord& record, const std::string& name) {
  for (const auto& [key, value] : record.headers) {
    if (key == name) return value.value_or("(null)");
  }
  return "(none)";
}

}  // namespace seriatim::test
