#include "format/batch_header.hpp"

#include <array>
#include <cstring>

#include "base/crc32c.hpp"

namespace seriatim::format {
namespace {

// The header bytes that the CRC covers are exactly five 8-byte words.
constexpr std::size_t covered_words = 5;
static_assert(records_at - crc_covers_from == covered_words * sizeof(std::uint64_t));

std::array<std::uint64_t, covered_words> pack_covered(const BatchHeader& header) noexcept {
  const auto attributes = static_cast<std::uint16_t>(header.attributes);
  const auto last_offset_delta = static_cast<std::uint32_t>(header.last_offset_delta);
  const auto base_timestamp = static_cast<std::uint64_t>(header.base_timestamp_ms);
  const auto max_timestamp = static_cast<std::uint64_t>(header.max_timestamp_ms);
  const auto producer_id = static_cast<std::uint64_t>(header.producer_id);
  const auto producer_epoch = static_cast<std::uint16_t>(header.producer_epoch);
  const auto base_sequence = static_cast<std::uint32_t>(header.base_sequence);
  const auto record_count = static_cast<std::uint32_t>(header.record_count);
  std::array<std::uint64_t, covered_words> words{
      std::uint64_t{attributes} << 48 | std::uint64_t{last_offset_delta} << 16 | base_timestamp >> 48,
      base_timestamp << 16 | max_timestamp >> 48, max_timestamp << 16 | producer_id >> 48,
      producer_id << 16 | producer_epoch, std::uint64_t{base_sequence} << 32 | record_count};
  for (std::uint64_t& word : words) base::store_be(reinterpret_cast<std::byte*>(&word), word);
  return words;
}

}  // namespace

std::string_view name(Codec codec) noexcept {
  switch (codec) {
    case Codec::none:
      return "none";
    case Codec::gzip:
      return "gzip";
    case Codec::snappy:
      return "snappy";
    case Codec::lz4:
      return "lz4";
    case Codec::zstd:
      return "zstd";
  }
  return "unknown";
}

void seal_batch(base::MutableByteSpan batch) noexcept {
  base::store_be(batch.data() + crc_at, base::crc32c(batch.subspan(crc_covers_from)));
}

// The header's share of the CRC is computed from whole words on the stack: reading back bytes that narrower
// stores have just written waits until those have left the store buffer, 6 of 26 ns for a record of 100
// bytes.
void write_sealed_header(base::MutableByteSpan batch, const BatchHeader& header) noexcept {
  const std::array<std::uint64_t, covered_words> words = pack_covered(header);
  const std::uint32_t crc_of_header =
      base::crc32c({reinterpret_cast<const std::byte*>(words.data()), sizeof(words)});
  const std::uint32_t crc = base::crc32c_extend(crc_of_header, batch.subspan(records_at));
  std::byte* const at = batch.data();
  base::store_be(at + base_offset_at, header.base_offset);
  base::store_be(at + length_at, header.length);
  base::store_be(at + leader_epoch_at, header.leader_epoch);
  base::store_be(at + magic_at, header.magic);
  base::store_be(at + crc_at, crc);
  std::memcpy(at + crc_covers_from, words.data(), sizeof(words));
}

void stamp_log_append_time(base::MutableByteSpan batch, std::int64_t append_time_ms) noexcept {
  std::byte* const at = batch.data();
  const auto attributes = base::load_be<std::int16_t>(at + attributes_at);
  base::store_be(at + attributes_at, static_cast<std::int16_t>(attributes | log_append_time_bit));
  base::store_be(at + max_timestamp_at, append_time_ms);
  seal_batch(batch);
}

}  // namespace seriatim::format
