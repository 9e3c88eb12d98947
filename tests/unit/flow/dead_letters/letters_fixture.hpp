// The fixture of tests of dead letters: a topic "in" and letters in "in.DLQ".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <seriatim/flow/dead_letters.hpp>

#include "flow/dead_letters/dead_letter_headers.hpp"
#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {

using LetterValues = std::vector<std::string>;

struct LettersFixture {
  explicit LettersFixture(PartitionId partitions = 1) : engine(open_engine(directory / "data")) {
    create_topic(engine, "in", partitions);
    create_topic(engine, "in.DLQ", partitions, {{"retention.ms", "-1"}});
  }

  /// A letter of a record of "in".
  void bury(const std::string& value, const std::string& error, std::optional<std::string> key = {},
            PartitionId partition = 0, Timestamp time = Timestamp(std::chrono::milliseconds(1'000))) const {
    flow::HeaderList headers;
    headers.text("own", value);
    flow::add_death(headers, {.time = time,
                              .topic = "in",
                              .record_partition = partition,
                              .record_offset = 7,
                              .group = "g",
                              .attempts = 3,
                              .error = error,
                              .error_name = "IO_ERROR"});
    Producer producer = must(engine.producer());
    must(producer.send_sync({.topic = "in.DLQ",
                             .key = key ? BytesView(*key) : BytesView(),
                             .value = value,
                             .partition = partition,
                             .headers = headers.views()}));
  }
  DeadLetterReplay replay(DeadLetterFilter filter = {}, std::string to = {}) const {
    return must(DeadLetterReplay::open(
        engine, {.topic = "in.DLQ", .filter = std::move(filter), .to = std::move(to), .acks = Acks::leader}));
  }
  std::vector<std::string> values_with(const DeadLetterFilter& filter) const {
    std::vector<std::string> values;
    for (const DeadLetter& letter : must(list_dead_letters(engine, "in.DLQ", {}, 1'000, filter)).letters)
      values.push_back(letter.value.value_or("(null)"));
    return values;
  }

  TempDir directory;
  Engine engine;
};

}  // namespace seriatim::test
