// The fixture of every test of the api: a real engine in a directory of the test's own, and short names for
// the usual steps.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <seriatim/seriatim.hpp>

#include "base/clock.hpp"
#include "directory/engine_impl.hpp"
#include "os/file/posix_vfs.hpp"
#include "support/live_copy.hpp"
#include "support/must.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::test {

inline const TopicPartition t0{"t", 0};
inline const TopicPartition t1{"t", 1};

template <class T>
Errc code_of(const Result<T>& result) {
  return result ? Errc{} : result.error().code();
}
template <class T>
std::string message_of(const Result<T>& result) {
  return result ? std::string() : result.error().message();
}

inline Engine open_engine(const std::string& directory, EngineOptions options = {}) {
  return must(Engine::open(directory, std::move(options)));
}

/// An engine with a clock or a file system of the test's own.
inline Engine open_engine_with(const std::string& directory, os::Vfs& vfs, const base::Clock& clock,
                               EngineOptions options = {}) {
  return ::seriatim::detail::EngineImpl::handle(
      must(::seriatim::detail::EngineImpl::open(directory, std::move(options), vfs, clock)));
}

inline void create_topic(const Engine& engine, const std::string& name, PartitionId partitions = 1,
                         ConfigMap config = {}) {
  must(engine.admin().create_topic(
      {.name = name, .partition_count = partitions, .config = std::move(config)}));
}

/// Every record of a partition from its log start on, copied.
inline std::vector<OwnedRecord> read_all(const Engine& engine, const std::string& topic,
                                         PartitionId partition = 0) {
  const LogReader reader = must(engine.reader({topic, partition}));
  std::vector<OwnedRecord> all;
  for (Offset next = reader.log_start_offset(); next < reader.high_watermark();) {
    const ConsumerRecords records = must(reader.read(next, 1000));
    if (records.empty()) break;
    for (const RecordView& record : records) all.push_back(record.to_owned());
    next = all.back().offset + 1;
  }
  return all;
}

inline std::vector<std::string> values_of(const std::vector<OwnedRecord>& records) {
  std::vector<std::string> values;
  for (const OwnedRecord& record : records) values.push_back(record.value.value_or("(null)"));
  return values;
}
inline std::vector<std::string> read_values(const Engine& engine, const std::string& topic,
                                            PartitionId partition = 0) {
  return values_of(read_all(engine, topic, partition));
}

/// Looks until `condition` holds: for what another thread does in its own time. False only when something is
/// broken.
inline bool comes_true(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

/// Polls as soon as no other thread is inside `consumer`: one that asks whether this one has begun to poll,
/// by a call that is refused then, is inside for a moment itself.
inline Result<ConsumerRecords> poll_when_free(Consumer& consumer, std::chrono::milliseconds timeout) {
  for (;;) {
    auto polled = consumer.poll(timeout);
    if (polled || polled.error().code() != Errc::invalid_state) return polled;
  }
}

/// A directory and an engine in it with one topic "t".
struct OpenedEngine {
  explicit OpenedEngine(PartitionId partitions = 1, ConfigMap config = {}, EngineOptions options = {})
      : engine(open_engine(directory / "data", std::move(options))) {
    create_topic(engine, "t", partitions, std::move(config));
  }
  std::string path() const { return directory / "data"; }

  TempDir directory;
  Engine engine;
};

/// A copy of a live directory: what a process leaves that dies now.
inline std::string copy_of(const Engine& engine, const TempDir& to) {
  const std::string copy = to / "copy";
  copy_live(engine.directory(), copy);
  return copy;
}

}  // namespace seriatim::test
