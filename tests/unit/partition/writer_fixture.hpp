// The fixture of every test of writing, recovering and compacting a partition: a file system that can be made
// to fail, a clock, keyed records, restarts.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "partition/compaction/compaction.hpp"
#include "partition/read/fetch_cursor.hpp"
#include "partition/read/fetched_records.hpp"
#include "support/failing_vfs.hpp"
#include "support/log_builder.hpp"
#include "unit/partition/read/reader_fixture.hpp"

namespace seriatim::test {

using Text = std::optional<std::string>;

/// A record as a reader gets it.
struct Row {
  Offset offset = 0;
  Text key{};
  Text value{};
  std::int64_t timestamp_ms = 0;
  bool operator==(const Row&) const = default;
};

inline Text text_of(BytesView bytes) { return bytes.is_null() ? Text() : Text(std::string(bytes.text())); }
inline BytesView view_of(const Text& text) { return text ? BytesView(*text) : BytesView(); }

/// Reads on from where `cursor` stands.
inline std::vector<Row> rows_from(partition::FetchCursor& cursor) {
  std::vector<Row> rows;
  std::vector<std::byte> scratch;
  partition::FetchedBatch batch;
  while (must(cursor.peek(cursor.log().high_watermark(), true, batch)) ==
         partition::FetchCursor::Step::batch) {
    if (!batch.header.is_control()) {
      auto records =
          partition::records_of(batch.header, must(partition::record_section(cursor.log(), batch, scratch)));
      format::DecodedRecord record;
      while (records.next(record) == format::RecordCursor::Step::record) {
        rows.push_back({batch.header.base_offset + record.offset_delta, text_of(record.key),
                        text_of(record.value), batch.header.record_timestamp_ms(record.timestamp_delta)});
      }
    }
    cursor.advance(batch);
  }
  return rows;
}

inline std::vector<Row> rows_of(const partition::PartitionLogPtr& log) {
  partition::FetchCursor cursor(log);
  must(cursor.seek(log->log_start_offset()));
  return rows_from(cursor);
}

inline std::vector<Offset> offsets_of(const std::vector<Row>& rows) {
  std::vector<Offset> offsets;
  for (const Row& row : rows) offsets.push_back(row.offset);
  return offsets;
}

/// The value every key has in the end; a key whose last record is a tombstone has none. Records without a key
/// are nobody's.
inline std::map<std::string, std::string> newest_values(const std::vector<Row>& rows) {
  std::map<std::string, std::string> values;
  for (const Row& row : rows) {
    if (!row.key) continue;
    if (row.value) {
      values[*row.key] = *row.value;
    } else {
      values.erase(*row.key);
    }
  }
  return values;
}

/// The process: what dies in a crash.
struct WriterWorld {
  explicit WriterWorld(FailingVfs& vfs)
      : files(vfs, 64),
        environment{.files = {vfs, files},
                    .maps = maps,
                    .clock = clock,
                    .health = health,
                    .counters = counters,
                    .report = [this](bool, std::string_view line) { reports.emplace_back(line); }} {}
  os::FdCache files;
  segment::MapCache maps;
  base::ManualClock clock{t0_ms};
  partition::StorageHealth health;
  partition::PartitionCounters counters;
  std::vector<std::string> reports;
  partition::PartitionEnvironment environment;
};

class WriterFixture {
 public:
  explicit WriterFixture(std::int64_t segment_bytes = 1'000, CleanupPolicy policy = CleanupPolicy::delete_) {
    request.config.segment_bytes = segment_bytes;
    request.config.index_interval_bytes = 100;
    request.config.cleanup_policy = policy;
  }
  ~WriterFixture() { partition.reset(); }

  void open() {
    const std::int64_t now = world ? world->clock.wall_ms() : t0_ms;
    partition.reset();
    world = std::make_unique<WriterWorld>(vfs);
    world->clock.set_wall_ms(now);
    partition = must(partition::Partition::open(world->environment, request));
  }
  /// Without a word to the partition; its files stay as they are.
  void die() { partition.reset(); }
  void reopen_after_crash() {
    die();
    request.checkpoint.clean_end_offset = -1;
    open();
  }
  void close() {
    request.checkpoint = must(partition->close());
    partition.reset();
  }
  /// As the engine does it: sync, look, store, tell.
  void store_checkpoint() {
    must(partition->sync_to(must(partition->prepare_checkpoint())));
    request.checkpoint = partition->checkpoint();
    partition->checkpoint_stored(request.checkpoint);
  }
  void seal_all() {
    must(partition->roll());
    store_checkpoint();
  }

  Result<partition::PartitionAppend> try_put(const std::vector<std::pair<Text, Text>>& records,
                                             const format::FrameOptions& options = {}) {
    builder.clear();
    for (const auto& [key, value] : records) {
      must(builder.append(
          {.key = view_of(key), .value = view_of(value), .timestamp_ms = world->clock.wall_ms()}));
    }
    return partition->append(must(builder.frame(options)));
  }
  partition::PartitionAppend put(const std::vector<std::pair<Text, Text>>& records,
                                 const format::FrameOptions& options = {}) {
    return must(try_put(records, options));
  }
  void set_segment_bytes(std::int64_t bytes) {
    request.config.segment_bytes = bytes;
    partition->set_config(request.config);
  }
  partition::PartitionAppend put(const std::string& key, const Text& value) { return put({{key, value}}); }
  /// A batch made elsewhere, as it is but for its offset.
  partition::PartitionAppend put_batch(std::vector<std::byte> bytes) {
    return must(partition->append(format::framed_batch(bytes)));
  }
  /// `key-i` -> `value-i` until there are `segments` segments.
  void fill(std::size_t segments, int keys) {
    for (int i = 0; partition->segments().load()->size() < segments; ++i) {
      put("key-" + std::to_string(i % keys), "value-" + std::to_string(i));
    }
  }

  Result<partition::CompactionResult> try_compact(const partition::CompactionOptions& options = {}) {
    return partition::compact(*partition, options);
  }
  partition::CompactionResult compact(const partition::CompactionOptions& options = {}) {
    return must(try_compact(options));
  }

  std::vector<Row> rows() const { return rows_of(partition); }
  std::size_t segment_count() const { return partition->segments().load()->size(); }
  std::vector<Offset> segment_bases() const {
    std::vector<Offset> bases;
    const auto segments = partition->segments().load();
    for (const auto& segment : *segments) bases.push_back(segment->base_offset());
    return bases;
  }
  std::string path(Offset base, format::FileKind kind = format::FileKind::log,
                   format::FileState state = format::FileState::live) const {
    return request.directory + "/" + format::file_name(base, kind, state);
  }
  std::set<std::string> file_names() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(request.directory))
      names.insert(entry.path().filename().string());
    return names;
  }
  bool has_leftovers() const {
    for (const std::string& name : file_names()) {
      if (name.ends_with(".cleaned") || name.ends_with(".swap") || name.ends_with(".deleted") ||
          name.ends_with(".tmp"))
        return true;
    }
    return false;
  }

  TempDir temp;
  FailingVfs vfs;
  partition::PartitionRequest request{.name = {"topic", 3}, .directory = temp / "topic-3"};
  std::unique_ptr<WriterWorld> world;
  std::shared_ptr<partition::Partition> partition;
  format::BatchBuilder builder;
};

}  // namespace seriatim::test
