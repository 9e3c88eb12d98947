#include "format/producer_snapshot.hpp"

#include <string>

#include "base/crc32c.hpp"

namespace seriatim::format {
namespace {

constexpr std::int16_t snapshot_version = 1;
constexpr std::size_t snapshot_crc_at = 2;
constexpr std::size_t count_at = 6;  // also where the bytes the CRC covers begin

Error damaged(const std::string& what) {
  return {
      Errc::corrupt_metadata,
      "producer snapshot: " + what + "; remove the file, and it is made again from an older one and the log"};
}

void store_entry(std::byte* to, const ProducerSnapshotEntry& entry) noexcept {
  base::store_be(to, entry.producer_id);
  base::store_be(to + 8, entry.producer_epoch);
  base::store_be(to + 10, entry.last_sequence);
  base::store_be(to + 14, entry.last_offset);
  base::store_be(to + 22, entry.offset_delta);
  base::store_be(to + 26, entry.timestamp_ms);
  base::store_be(to + 34, entry.coordinator_epoch);
  base::store_be(to + 38, entry.open_transaction_first_offset);
}

ProducerSnapshotEntry load_entry(const std::byte* from) noexcept {
  ProducerSnapshotEntry entry;
  entry.producer_id = base::load_be<std::int64_t>(from);
  entry.producer_epoch = base::load_be<std::int16_t>(from + 8);
  entry.last_sequence = base::load_be<std::int32_t>(from + 10);
  entry.last_offset = base::load_be<std::int64_t>(from + 14);
  entry.offset_delta = base::load_be<std::int32_t>(from + 22);
  entry.timestamp_ms = base::load_be<std::int64_t>(from + 26);
  entry.coordinator_epoch = base::load_be<std::int32_t>(from + 34);
  entry.open_transaction_first_offset = base::load_be<std::int64_t>(from + 38);
  return entry;
}

bool is_consistent(const ProducerSnapshotEntry& entry) noexcept {
  const bool batch_is_known = entry.last_offset >= 0;
  return entry.producer_id >= 0 && entry.producer_epoch >= -1 && entry.last_sequence >= -1 &&
         entry.last_offset >= -1 && entry.offset_delta >= 0 &&
         (!batch_is_known || entry.offset_delta <= entry.last_offset) &&
         entry.open_transaction_first_offset >= -1;
}

}  // namespace

std::vector<std::byte> encode_producer_snapshot(std::span<const ProducerSnapshotEntry> entries) {
  std::vector<std::byte> file(producer_snapshot_header_bytes +
                              entries.size() * producer_snapshot_entry_bytes);
  base::store_be(file.data(), snapshot_version);
  base::store_be(file.data() + count_at, static_cast<std::int32_t>(entries.size()));
  std::byte* at = file.data() + producer_snapshot_header_bytes;
  for (const ProducerSnapshotEntry& entry : entries) {
    store_entry(at, entry);
    at += producer_snapshot_entry_bytes;
  }
  base::store_be(file.data() + snapshot_crc_at, base::crc32c(base::ByteSpan(file).subspan(count_at)));
  return file;
}

Result<std::vector<ProducerSnapshotEntry>> parse_producer_snapshot(base::ByteSpan file) {
  if (file.size() < producer_snapshot_header_bytes) {
    return damaged(std::to_string(file.size()) + " bytes are shorter than its header");
  }
  const auto version = base::load_be<std::int16_t>(file.data());
  if (version > snapshot_version) {
    return Error(Errc::unsupported_version,
                 "producer snapshot: version " + std::to_string(version) + " is newer than " +
                     std::to_string(snapshot_version) +
                     "; upgrade seriatim, or remove the file to have it made again from the log");
  }
  if (version != snapshot_version) return damaged("version " + std::to_string(version) + " never existed");
  const auto crc = base::load_be<std::uint32_t>(file.data() + snapshot_crc_at);
  if (crc != base::crc32c(file.subspan(count_at))) return damaged("the checksum does not fit the bytes");
  const auto count = base::load_be<std::int32_t>(file.data() + count_at);
  const std::size_t entry_bytes = file.size() - producer_snapshot_header_bytes;
  if (count < 0 || entry_bytes != static_cast<std::size_t>(count) * producer_snapshot_entry_bytes) {
    return damaged("it declares " + std::to_string(count) + " producers in " + std::to_string(file.size()) +
                   " bytes");
  }

  std::vector<ProducerSnapshotEntry> entries;
  entries.reserve(static_cast<std::size_t>(count));
  for (const std::byte* at = file.data() + producer_snapshot_header_bytes; at != file.data() + file.size();
       at += producer_snapshot_entry_bytes) {
    const ProducerSnapshotEntry entry = load_entry(at);
    if (!is_consistent(entry)) {
      return damaged("the fields of producer " + std::to_string(entry.producer_id) +
                     " contradict each other");
    }
    entries.push_back(entry);
  }
  return entries;
}

}  // namespace seriatim::format
