#include "format/batch_header.hpp"

#include <array>
#include <cstring>

#include "base/crc32c.hpp"

namespace seriatim::format {
namespace {

// The header bytes that the CRC covers are exactly five 8-byte words.
constexpr std::size_t covered_words = 5;
static_assert(records_at - crc_covers_from == covered_words * sizeof(std::uint64_t));

using CoveredWords = std::array<std::uint64_t, covered_words>;

CoveredWords pack_covered(const BatchHeader& header) noexcept {
  const auto attributes = static_cast<std::uint16_t>(header.attributes);
  const auto last_offset_delta = static_cast<std::uint32_t>(header.last_offset_delta);
  const auto base_timestamp = static_cast<std::uint64_t>(header.base_timestamp_ms);
  const auto max_timestamp = static_cast<std::uint64_t>(header.max_timestamp_ms);
  const auto producer_id = static_cast<std::uint64_t>(header.producer_id);
  const auto producer_epoch = static_cast<std::uint16_t>(header.producer_epoch);
  const auto base_sequence = static_cast<std::uint32_t>(header.base_sequence);
  const auto record_count = static_cast<std::uint32_t>(header.record_count);
  CoveredWords words{
      std::uint64_t{attributes} << 48 | std::uint64_t{last_offset_delta} << 16 | base_timestamp >> 48,
      base_timestamp << 16 | max_timestamp >> 48, max_timestamp << 16 | producer_id >> 48,
      producer_id << 16 | producer_epoch, std::uint64_t{base_sequence} << 32 | record_count};
  for (std::uint64_t& word : words) base::store_be(reinterpret_cast<std::byte*>(&word), word);
  return words;
}

std::uint32_t crc_of(const CoveredWords& words) noexcept {
  return base::crc32c({reinterpret_cast<const std::byte*>(words.data()), sizeof(words)});
}

void write_header(std::byte* to, const BatchHeader& header, const CoveredWords& words,
                  std::uint32_t crc) noexcept {
  base::store_be(to + base_offset_at, header.base_offset);
  base::store_be(to + length_at, header.length);
  base::store_be(to + leader_epoch_at, header.leader_epoch);
  base::store_be(to + magic_at, header.magic);
  base::store_be(to + crc_at, crc);
  // Word by word: a copy of the whole would read pairs of words that were stored one by one.
  for (std::size_t i = 0; i < words.size(); ++i)
    std::memcpy(to + crc_covers_from + i * sizeof(std::uint64_t), &words[i], sizeof(std::uint64_t));
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

// Loads that span several narrower stores wait until those have left the store buffer, so nothing is read
// back that was just written: the header's words are summed in registers and the value where it came from.
// The two sums do not wait for each other.
std::uint32_t write_sealed_header(std::byte* to, const BatchHeader& header,
                                  const RecordPieces& record) noexcept {
  const std::uint32_t crc_of_value = base::crc32c(record.value);
  const CoveredWords words = pack_covered(header);
  const std::uint32_t before_value = base::crc32c_extend(crc_of(words), record.before_value);
  const std::uint32_t crc =
      base::crc32c_extend(base::crc32c_append(before_value, crc_of_value, record.value), record.after_value);
  write_header(to, header, words, crc);
  return crc;
}

std::uint32_t write_sealed_header(base::MutableByteSpan batch, const BatchHeader& header) noexcept {
  const CoveredWords words = pack_covered(header);
  const std::uint32_t crc = base::crc32c_extend(crc_of(words), batch.subspan(records_at));
  write_header(batch.data(), header, words, crc);
  return crc;
}

}  // namespace seriatim::format
