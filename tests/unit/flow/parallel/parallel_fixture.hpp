// The fixtures of tests of parallel consumers: records without a log, and a topic with keys.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <seriatim/flow/parallel_consumer.hpp>

#include "flow/parallel/parallel_partition.hpp"
#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {

/// Records of one partition, as a poll gives them, but without views.
struct LooseRecords {
  explicit LooseRecords(const std::string& topic = "in")
      : partition({topic, 0}, detail::OffsetWindow({}, [](const auto&) { return std::uint64_t{0}; }), 0) {}

  /// The next record, of that order; 0: of none.
  detail::QueuedRecord& add(std::uint64_t order) {
    const auto batch = std::make_shared<detail::QueuedBatch>();
    batch->queued.resize(1);
    detail::QueuedRecord& record = batch->queued.front();
    record.offset = next++;
    record.order = order;
    record.has_order = order != 0;
    partition.window.append(
        {.partition = &partition, .batch = batch, .records = batch->queued.data(), .count = 1});
    return record;
  }

  detail::ParallelPartition partition;
  Offset next = 0;
};

using ValuesByKey = std::vector<std::pair<std::string, std::string>>;

/// Options of group g, whose failures stop where nobody decides otherwise.
inline ParallelConsumerOptions in_parallel(std::size_t workers = 4) {
  return {.group_id = "g",
          .topics = {"in"},
          .workers = workers,
          .acks = Acks::leader,
          .backoff = {.initial = std::chrono::milliseconds(0)},
          .commit_interval = std::chrono::milliseconds(0)};
}

/// A handler that does nothing.
inline Result<> accept_record(const RecordView&) { return {}; }

struct ParallelFixture {
  TempDir directory;
  Engine engine = open_engine(directory / "data");

  explicit ParallelFixture(PartitionId partitions = 1) { create_topic(engine, "in", partitions); }

  /// Appends a record of partition 0.
  void send(const std::string& key, const std::string& value, PartitionId partition = 0) const {
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    must(producer.send_sync({.topic = "in", .key = key, .value = value, .partition = partition}));
  }
  /// Values 0, 1, 2, ... of the keys k0, k1, ... in turn.
  void send_many(int records, int keys, PartitionId partitions = 1) const {
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (int i = 0; i < records; ++i) {
      must(producer.send_sync({.topic = "in",
                               .key = "k" + std::to_string(i % keys),
                               .value = std::to_string(i),
                               .partition = i % keys % partitions}));
    }
  }
  ParallelConsumer open(ParallelConsumerOptions options, ParallelHandler handler) const {
    return must(ParallelConsumer::open(engine, std::move(options), std::move(handler)));
  }
  std::optional<OffsetAndMetadata> committed(PartitionId partition = 0) const {
    const Consumer consumer = must(engine.consumer({.group_id = "g"}));
    return must(consumer.committed({"in", partition}));
  }
  Offset committed_offset(PartitionId partition = 0) const {
    const auto found = committed(partition);
    return found ? found->offset : -1;
  }
};

inline std::string text_of(BytesView bytes) { return std::string(bytes.text()); }

/// A door that handlers stop at until a test opens it.
class Door {
 public:
  /// For a handler.
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return is_open_; });
    --waiting_;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  /// Until so many handlers stand there.
  void wait_for(int handlers = 1) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= handlers; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool is_open_ = false;
};

/// Looks until `holds`; a test that waits for ever ends by the time limit of its program.
template <class Holds>
void wait_until(const Holds& holds) {
  while (!holds()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

/// The records that handlers saw, in the order in which they began.
class Seen {
 public:
  void note(const RecordView& record) {
    const std::lock_guard lock(mutex_);
    values_.emplace_back(text_of(record.key()), text_of(record.value()));
  }
  ValuesByKey values() const {
    const std::lock_guard lock(mutex_);
    return values_;
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return values_.size();
  }
  std::vector<std::string> of(const std::string& key) const {
    std::vector<std::string> found;
    for (const auto& [of, value] : values())
      if (of == key) found.push_back(value);
    return found;
  }

 private:
  mutable std::mutex mutex_;
  ValuesByKey values_{};
};

/// Works with the options until so many records of partition 0 are committed.
inline void work_off(const ParallelFixture& f, const ParallelConsumerOptions& options,
                     const ParallelHandler& handler, Offset until) {
  ParallelConsumer consumer = f.open(options, handler);
  must(consumer.start());
  wait_until([&] { return f.committed_offset() >= until; });
  consumer.stop();
  must(consumer.wait());
}

inline std::vector<std::string> numbers(int first, int end, int step) {
  std::vector<std::string> values;
  for (int i = first; i < end; i += step) values.push_back(std::to_string(i));
  return values;
}

/// Handles what is left for group g, until partition 0 is committed up to there; the values by key.
inline ValuesByKey handle_rest(const ParallelFixture& f, Offset until, std::uint64_t* spared = nullptr) {
  Seen seen;
  ParallelConsumer consumer = f.open(in_parallel(), [&](const RecordView& record) {
    seen.note(record);
    return Result<>();
  });
  must(consumer.start());
  wait_until([&] { return f.committed_offset() >= until; });
  consumer.stop();
  must(consumer.wait());
  if (spared != nullptr) *spared = consumer.status().repeats_spared;
  return seen.values();
}

inline std::size_t distinct(const ValuesByKey& values) {
  return std::set<std::pair<std::string, std::string>>(values.begin(), values.end()).size();
}

}  // namespace seriatim::test
