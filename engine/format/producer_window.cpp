#include "format/producer_window.hpp"

#include <string>

#include "base/xxh3.hpp"

namespace seriatim::format {
namespace {

constexpr std::uint32_t window_magic = 0x73505257;  // "sPRW"
constexpr std::uint32_t window_version = 1;
constexpr std::size_t window_hash_at = 8;
constexpr std::size_t window_count_at = 16;  // also where the bytes the hash covers begin

Error bad_window(const std::string& what) {
  return {
      Errc::corrupt_metadata,
      "producer window: " + what + "; remove the file: of every producer the last batch is known without it"};
}

void store_window_entry(std::byte* to, const ProducerWindowEntry& entry) noexcept {
  base::store_be(to, entry.producer_id);
  base::store_be(to + 8, entry.producer_epoch);
  base::store_be(to + 10, entry.batch.first_sequence);
  base::store_be(to + 14, entry.batch.last_sequence);
  base::store_be(to + 18, entry.batch.base_offset);
  base::store_be(to + 26, entry.batch.last_offset);
  base::store_be(to + 34, entry.batch.timestamp_ms);
}

ProducerWindowEntry load_window_entry(const std::byte* from) noexcept {
  ProducerWindowEntry entry;
  entry.producer_id = base::load_be<std::int64_t>(from);
  entry.producer_epoch = base::load_be<std::int16_t>(from + 8);
  entry.batch.first_sequence = base::load_be<std::int32_t>(from + 10);
  entry.batch.last_sequence = base::load_be<std::int32_t>(from + 14);
  entry.batch.base_offset = base::load_be<std::int64_t>(from + 18);
  entry.batch.last_offset = base::load_be<std::int64_t>(from + 26);
  entry.batch.timestamp_ms = base::load_be<std::int64_t>(from + 34);
  return entry;
}

bool makes_sense(const ProducerWindowEntry& entry) noexcept {
  const StoredBatch& batch = entry.batch;
  return entry.producer_id >= 0 && entry.producer_epoch >= 0 && batch.first_sequence >= 0 &&
         batch.last_sequence >= 0 && batch.base_offset >= 0 && batch.last_offset >= batch.base_offset;
}

}  // namespace

std::vector<std::byte> encode_producer_window(std::span<const ProducerWindowEntry> entries) {
  std::vector<std::byte> file(producer_window_header_bytes + entries.size() * producer_window_entry_bytes);
  base::store_be(file.data(), window_magic);
  base::store_be(file.data() + 4, window_version);
  base::store_be(file.data() + window_count_at, static_cast<std::uint32_t>(entries.size()));
  std::byte* at = file.data() + producer_window_header_bytes;
  for (const ProducerWindowEntry& entry : entries) {
    store_window_entry(at, entry);
    at += producer_window_entry_bytes;
  }
  base::store_be(file.data() + window_hash_at, base::xxh3_64(base::ByteSpan(file).subspan(window_count_at)));
  return file;
}

Result<std::vector<ProducerWindowEntry>> parse_producer_window(base::ByteSpan file) {
  if (file.size() < producer_window_header_bytes)
    return bad_window(std::to_string(file.size()) + " bytes are shorter than its header");
  if (base::load_be<std::uint32_t>(file.data()) != window_magic)
    return bad_window("it does not begin with sPRW");
  const auto version = base::load_be<std::uint32_t>(file.data() + 4);
  if (version > window_version) {
    return Error(Errc::unsupported_version, "producer window: version " + std::to_string(version) +
                                                " is newer than " + std::to_string(window_version) +
                                                "; upgrade seriatim");
  }
  const auto hash = base::load_be<std::uint64_t>(file.data() + window_hash_at);
  if (version == 0 || hash != base::xxh3_64(file.subspan(window_count_at)))
    return bad_window("the checksum does not fit the bytes");
  const auto count = base::load_be<std::uint32_t>(file.data() + window_count_at);
  const std::size_t entry_bytes = file.size() - producer_window_header_bytes;
  if (entry_bytes != std::size_t{count} * producer_window_entry_bytes) {
    return bad_window("it declares " + std::to_string(count) + " batches in " + std::to_string(file.size()) +
                      " bytes");
  }
  std::vector<ProducerWindowEntry> entries;
  entries.reserve(count);
  for (const std::byte* at = file.data() + producer_window_header_bytes; at != file.data() + file.size();
       at += producer_window_entry_bytes) {
    const ProducerWindowEntry entry = load_window_entry(at);
    if (!makes_sense(entry)) {
      return bad_window("the fields of producer " + std::to_string(entry.producer_id) +
                        " contradict each other");
    }
    entries.push_back(entry);
  }
  return entries;
}

}  // namespace seriatim::format
