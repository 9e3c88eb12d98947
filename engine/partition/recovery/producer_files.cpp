// The two files that carry the producers of a partition over a restart: Kafka's `.snapshot`, and ours beside
// it.
#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "format/file_name.hpp"
#include "os/file/small_file.hpp"
#include "os/path.hpp"
#include "partition/producer_state.hpp"

namespace seriatim::partition {
namespace {

// A snapshot is 46 bytes a producer; a million producers is beyond anything seen. Bounds what a hostile file
// makes us allocate.
constexpr std::size_t snapshot_bytes_max = 64U << 20;
// Five batches of 42 bytes for each of them.
constexpr std::size_t window_bytes_max = 320U << 20;

std::string path_of(const std::string& directory, Offset offset, format::FileKind kind) {
  return os::join_path(directory, format::file_name(offset, kind));
}

format::ProducerSnapshotEntry snapshot_entry(ProducerId id, const ProducerInfo& producer) {
  format::ProducerSnapshotEntry entry{.producer_id = id,
                                      .producer_epoch = producer.epoch,
                                      .timestamp_ms = producer.last_activity_ms,
                                      .coordinator_epoch = producer.coordinator_epoch,
                                      .open_transaction_first_offset = producer.open_first_offset};
  if (!producer.batches.empty()) {
    const auto& newest = producer.batches.newest();
    entry.last_sequence = newest.last_sequence;
    entry.last_offset = newest.last_offset;
    entry.offset_delta = static_cast<std::int32_t>(newest.last_offset - newest.base_offset);
  }
  return entry;
}

// A producer's last batch, as far as Kafka's file knows it.
format::StoredBatch last_batch(const format::ProducerSnapshotEntry& entry) {
  // Sequences wrap, and what lies before 0 is the end of their range.
  const std::int64_t span = std::int64_t{std::numeric_limits<Sequence>::max()} + 1;
  const std::int64_t first = (std::int64_t{entry.last_sequence} - entry.offset_delta + span) % span;
  return {.first_sequence = static_cast<Sequence>(first),
          .last_sequence = entry.last_sequence,
          .base_offset = entry.last_offset - entry.offset_delta,
          .last_offset = entry.last_offset,
          .timestamp_ms = entry.timestamp_ms};
}

// The file is wrong, not the way to it.
bool is_unusable(const Error& error) noexcept {
  return error.code() == Errc::corrupt_metadata || error.code() == Errc::unsupported_version;
}

}  // namespace

// Ours first: where the snapshot is, it is complete.
Result<> ProducerState::write_snapshot(os::Vfs& vfs, const std::string& directory, std::int64_t now_ms) {
  if (end_offset_ == snapshot_offset_) return {};
  date_heard(now_ms);
  std::vector<format::ProducerSnapshotEntry> entries;
  std::vector<format::ProducerWindowEntry> window;
  entries.reserve(producers_.size());
  for (const auto& [id, producer] : producers_) {
    entries.push_back(snapshot_entry(id, producer));
    for (const auto& batch : producer.batches.all())
      window.push_back({.producer_id = id, .producer_epoch = producer.epoch, .batch = batch});
  }
  if (!window.empty()) {
    const auto bytes = format::encode_producer_window(window);
    auto written =
        os::replace_small_file(vfs, path_of(directory, end_offset_, format::FileKind::producers), bytes);
    if (!written) return written;
  }
  const auto bytes = format::encode_producer_snapshot(entries);
  auto written =
      os::replace_small_file(vfs, path_of(directory, end_offset_, format::FileKind::snapshot), bytes);
  if (!written) return written;
  snapshot_offset_ = end_offset_;
  return {};
}

Result<std::optional<Error>> ProducerState::load_snapshot(os::Vfs& vfs, const std::string& directory,
                                                          Offset offset) {
  const std::string path = path_of(directory, offset, format::FileKind::snapshot);
  auto bytes = os::read_small_file(vfs, path, snapshot_bytes_max);
  if (!bytes) return bytes.error();
  auto entries = format::parse_producer_snapshot(*bytes);
  if (!entries) return entries.error().with_context(path);
  auto window = load_window(vfs, directory, offset);
  if (!window && !is_unusable(window.error())) return window.error();
  producers_.clear();
  open_.clear();
  for (const auto& entry : *entries)
    restore(entry, window ? *window : std::vector<format::ProducerWindowEntry>());
  std::sort(open_.begin(), open_.end());
  end_offset_ = offset;
  snapshot_offset_ = offset;
  return window ? std::optional<Error>() : std::optional<Error>(window.error());
}

// Empty if there is none: older versions, and Kafka, write the snapshot alone.
Result<std::vector<format::ProducerWindowEntry>> ProducerState::load_window(os::Vfs& vfs,
                                                                            const std::string& directory,
                                                                            Offset offset) const {
  const std::string path = path_of(directory, offset, format::FileKind::producers);
  auto bytes = os::read_small_file(vfs, path, window_bytes_max);
  if (!bytes && bytes.error().code() == Errc::not_found) return std::vector<format::ProducerWindowEntry>();
  if (!bytes) return bytes.error();
  auto window = format::parse_producer_window(*bytes);
  if (!window) return window.error().with_context(path);
  std::sort(window->begin(), window->end(), [](const auto& a, const auto& b) {
    return std::tie(a.producer_id, a.batch.base_offset) < std::tie(b.producer_id, b.batch.base_offset);
  });
  return window;
}

void ProducerState::restore(const format::ProducerSnapshotEntry& entry,
                            std::span<const format::ProducerWindowEntry> window) {
  ProducerInfo& producer = producers_[entry.producer_id];
  producer = {.epoch = entry.producer_epoch,
              .coordinator_epoch = entry.coordinator_epoch,
              .last_timestamp_ms = entry.timestamp_ms,
              .last_activity_ms = entry.timestamp_ms,
              .open_first_offset = entry.open_transaction_first_offset};
  if (producer.open_first_offset >= 0) open_.push_back(producer.open_first_offset);
  if (entry.last_offset < 0) return;
  const auto [first, last] = std::equal_range(
      window.begin(), window.end(), format::ProducerWindowEntry{.producer_id = entry.producer_id},
      [](const auto& a, const auto& b) { return a.producer_id < b.producer_id; });
  for (auto it = first; it != last; ++it) {
    if (it->producer_epoch == entry.producer_epoch) producer.batches.push(it->batch);
  }
  // A file that does not fit the snapshot is of another time.
  if (producer.batches.empty() || producer.batches.newest().last_offset != entry.last_offset) {
    producer.batches.clear();
    producer.batches.push(last_batch(entry));
  }
  producer.last_timestamp_ms = producer.batches.newest().timestamp_ms;
  // Older versions, and Kafka, have stored the time of a record, which says nothing.
  producer.was_heard = entry.timestamp_ms == producer.last_timestamp_ms;
}

}  // namespace seriatim::partition
