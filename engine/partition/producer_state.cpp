#include "partition/producer_state.hpp"

#include <utility>
#include <vector>

#include "format/control_record.hpp"
#include "format/file_name.hpp"
#include "os/path.hpp"
#include "os/small_file.hpp"

namespace seriatim::partition {
namespace {

// A snapshot is 46 bytes a producer; a million producers is beyond anything seen. Bounds what a hostile file
// makes us allocate.
constexpr std::size_t snapshot_bytes_max = 64U << 20;

}  // namespace

Result<> ProducerState::note(const format::BatchHeader& header, base::ByteSpan batch) {
  end_offset_ = header.next_offset();
  if (!header.has_producer()) return {};
  auto& entry = producers_[header.producer_id];
  entry.producer_id = header.producer_id;
  const bool new_epoch = entry.producer_epoch != header.producer_epoch;
  entry.producer_epoch = header.producer_epoch;
  entry.timestamp_ms = header.max_timestamp_ms;
  if (header.is_control()) {
    const auto marker = format::read_control_batch(batch, &entry.coordinator_epoch);
    if (marker == format::ControlBatch::malformed) {
      return Error(Errc::corrupt_record,
                   "the control batch at offset " + std::to_string(header.base_offset) + " does not decode");
    }
    if (new_epoch) {
      entry.last_sequence = -1;
      entry.last_offset = -1;
      entry.offset_delta = 0;
    }
    if (marker == format::ControlBatch::commit || marker == format::ControlBatch::abort)
      entry.open_transaction_first_offset = -1;
    return {};
  }
  entry.last_sequence = header.last_sequence();
  entry.last_offset = header.last_offset();
  entry.offset_delta = header.last_offset_delta;
  if (header.is_transactional() && entry.open_transaction_first_offset < 0) {
    entry.open_transaction_first_offset = header.base_offset;
  }
  return {};
}

Result<> ProducerState::write_snapshot(os::Vfs& vfs, const std::string& directory) {
  if (end_offset_ == snapshot_offset_) return {};
  std::vector<format::ProducerSnapshotEntry> entries;
  entries.reserve(producers_.size());
  for (const auto& producer : producers_) entries.push_back(producer.second);
  const auto bytes = format::encode_producer_snapshot(entries);
  const std::string path =
      os::join_path(directory, format::file_name(end_offset_, format::FileKind::snapshot));
  if (auto written = os::replace_small_file(vfs, path, bytes); !written) return written;
  snapshot_offset_ = end_offset_;
  return {};
}

Result<> ProducerState::load_snapshot(os::Vfs& vfs, const std::string& directory, Offset offset) {
  const std::string path = os::join_path(directory, format::file_name(offset, format::FileKind::snapshot));
  auto bytes = os::read_small_file(vfs, path, snapshot_bytes_max);
  if (!bytes) return bytes.error();
  auto entries = format::parse_producer_snapshot(*bytes);
  if (!entries) return entries.error().with_context(path);
  producers_.clear();
  for (const auto& entry : *entries) producers_[entry.producer_id] = entry;
  end_offset_ = offset;
  snapshot_offset_ = offset;
  return {};
}

}  // namespace seriatim::partition
