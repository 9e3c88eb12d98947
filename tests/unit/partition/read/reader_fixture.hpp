// The fixture of every test of reading a partition: a partition that is appended to, small segments, and
// batches made to order.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "format/batch/batch_builder.hpp"
#include "format/file_name.hpp"
#include "os/file/fd_cache.hpp"
#include "os/file/posix_vfs.hpp"
#include "partition/partition.hpp"
#include "support/must.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::test {

inline constexpr ProducerId some_producer = ProducerId{1} << 42;

/// The records of one batch, and how they are framed.
struct Wanted {
  int records = 1;
  std::int64_t timestamp_ms = 1'000;  ///< Of the first record.
  std::int64_t timestamp_step_ms = 1;
  std::vector<std::int64_t> timestamps{};  ///< Instead of these two.
  std::string value = "value";             ///< Followed by the record's number in the batch.
  format::FrameOptions frame{};
};

/// Shared by the partitions and tailing logs of one "process".
struct PartitionWorld {
  os::FdCache files{os::posix_vfs(), 64};
  segment::MapCache maps;
  base::ManualClock clock{1'000'000};
  partition::StorageHealth health;
  partition::PartitionCounters counters;
  std::vector<std::string> reports;
  partition::PartitionEnvironment environment{
      .files = {os::posix_vfs(), files},
      .maps = maps,
      .clock = clock,
      .health = health,
      .counters = counters,
      .report = [this](bool, std::string_view line) { reports.emplace_back(line); }};
};

class ReaderFixture {
 public:
  explicit ReaderFixture(std::int64_t segment_bytes = 2'000) {
    request.config.segment_bytes = segment_bytes;
    request.config.index_interval_bytes = 200;
    partition = must(partition::Partition::open(world.environment, request));
  }

  partition::PartitionAppend append(const Wanted& wanted = {}) {
    builder.clear();
    for (int i = 0; i < wanted.records; ++i) {
      const auto index = static_cast<std::size_t>(i);
      const std::int64_t time = wanted.timestamps.empty() ? wanted.timestamp_ms + i * wanted.timestamp_step_ms
                                                          : wanted.timestamps[index];
      const std::string value = wanted.value + std::to_string(i);
      must(builder.append({.key = BytesView("key"), .value = BytesView(value), .timestamp_ms = time}));
    }
    return must(partition->append(must(builder.frame(wanted.frame))));
  }
  /// Until the partition has `segments` of them, one record per batch; at least one batch.
  void fill(std::size_t segments) {
    do {
      append({.timestamp_ms = 1'000 + partition->log_end_offset()});
    } while (partition->segments().load()->size() < segments);
  }
  /// Deletes every segment below `offset`.
  void delete_below(Offset offset) {
    must(partition->advance_log_start(offset));
    must(partition->apply_retention());
  }
  std::string log_path(Offset base) const {
    return request.directory + "/" + format::file_name(base, format::FileKind::log);
  }
  segment::SegmentPtr segment_of(Offset offset) const {
    const auto list = partition->segments().load();
    return (*list)[list->find(offset)];
  }

  TempDir temp;
  PartitionWorld world;
  partition::PartitionRequest request{.name = {"topic", 3}, .directory = temp / "topic-3"};
  std::shared_ptr<partition::Partition> partition;
  format::BatchBuilder builder;
};

/// Writes over a file's bytes behind the engine's back, as a failing disk would.
inline void overwrite(const std::string& path, std::uint64_t position, std::string_view bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(position));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  REQUIRE(file.good());
}

inline std::string message_of(const Error& error) { return error.message(); }

/// Whether all of `parts` occur in `text`.
inline bool says(const std::string& text, std::initializer_list<std::string_view> parts) {
  for (const auto part : parts) {
    if (text.find(part) == std::string::npos) return false;
  }
  return true;
}

}  // namespace seriatim::test
