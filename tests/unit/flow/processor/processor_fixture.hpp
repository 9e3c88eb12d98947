// The fixture of tests of processors: a topic "in" whose values are 0, 1, 2, ..., and a topic "out".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/flow/processor.hpp>

#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {

using Values = std::vector<std::string>;

inline std::string value_of(const RecordView& record) { return std::string(record.value().text()); }

/// Options of group g; a failure that nobody decides otherwise stops.
inline ProcessorOptions processing(Delivery delivery, ProcessorDecision on_failure = {}) {
  return {.group_id = "g",
          .topics = {"in"},
          .delivery = delivery,
          .acks = Acks::leader,
          .on_failure = std::move(on_failure),
          .retry_backoff = std::chrono::milliseconds(0),
          .consumer = {.max_poll_records = 5}};
}

/// Sends the value of each record to "out".
inline Result<> copy_out(const RecordView& record, ProcessorOutput& output) {
  return output.send({.topic = "out", .value = record.value()});
}

/// Steps a processor until polls bring nothing: twice in a row, as the first brings the partitions.
inline Result<> drain(Processor& processor) {
  for (int quiet = 0; quiet < 3; ++quiet) {
    auto done = processor.run_once(std::chrono::milliseconds(0));
    if (!done) return done.error();
    if (*done > 0) quiet = 0;
  }
  return {};
}

/// Handles what is left for group g, with outputs to "out"; the values that were handled.
inline Values process_rest(const Engine& engine, Delivery delivery) {
  Values handled;
  Processor processor = must(
      Processor::open(engine, processing(delivery), [&](const RecordView& record, ProcessorOutput& output) {
        handled.push_back(value_of(record));
        return copy_out(record, output);
      }));
  must(drain(processor));
  return handled;
}

inline Values values_from(int first, int end) {
  Values values;
  for (int i = first; i < end; ++i) values.push_back(std::to_string(i));
  return values;
}

struct ProcessorFixture {
  TempDir directory;
  Engine engine = open_engine(directory / "data");

  explicit ProcessorFixture(int records = 10, PartitionId partitions = 1) {
    create_topic(engine, "in", partitions);
    create_topic(engine, "out");
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (int i = 0; i < records; ++i) {
      must(producer.send_sync({.topic = "in",
                               .value = std::to_string(i),
                               .partition = static_cast<PartitionId>(i) % partitions}));
    }
  }
  Processor open(ProcessorOptions options, ProcessorHandler handler) const {
    return must(Processor::open(engine, std::move(options), std::move(handler)));
  }
  std::optional<Offset> committed() const { return committed_offset(engine, "g", {"in", 0}); }
  Values out() const { return committed_values(engine, "out"); }
};

}  // namespace seriatim::test
