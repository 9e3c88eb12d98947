#include "format/journal/journal_payload.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "base/assert.hpp"
#include "base/checked.hpp"

namespace seriatim::format {
namespace {

// Positions in a place.
constexpr std::size_t place_partition_at = 16;
constexpr std::size_t place_base_offset_at = 20;
constexpr std::size_t place_segment_base_at = 28;
constexpr std::size_t place_position_at = 36;

// Committed offsets before their texts: time, number of entries, length of the group; and each entry before
// its metadata.
constexpr std::size_t commit_bytes = 14;
constexpr std::size_t committed_bytes = 34;

Error damaged_payload(const std::string& what) {
  return {
      Errc::corrupt_metadata,
      what +
          ". Its checksum is right, so it was written like this: report it as a bug of seriatim, with the "
          "file."};
}

JournalPlace load_place(const std::byte* from) noexcept {
  JournalPlace place;
  std::copy_n(from, place.topic_id.size(), place.topic_id.begin());
  place.partition = base::load_le<std::int32_t>(from + place_partition_at);
  place.base_offset = base::load_le<std::int64_t>(from + place_base_offset_at);
  place.segment_base_offset = base::load_le<std::int64_t>(from + place_segment_base_at);
  place.position = base::load_le<std::uint64_t>(from + place_position_at);
  return place;
}

bool is_possible(const JournalPlace& place) noexcept {
  return place.partition >= 0 && place.segment_base_offset >= 0 &&
         place.base_offset >= place.segment_base_offset &&
         place.position <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

std::size_t store_text(std::byte* to, std::string_view text) noexcept {
  const base::ByteSpan bytes = base::as_bytes(text);
  std::copy(bytes.begin(), bytes.end(), to);
  return bytes.size();
}

void store_entry(std::byte* to, const JournalCommittedOffset& entry) noexcept {
  std::copy(entry.topic_id.begin(), entry.topic_id.end(), to);
  base::store_le(to + 16, entry.partition);
  base::store_le(to + 20, entry.offset);
  base::store_le(to + 28, entry.leader_epoch);
  base::store_le(to + 32, base::narrow<std::uint16_t>(entry.metadata.size()));
}

JournalCommittedOffset load_committed(const std::byte* from) noexcept {
  JournalCommittedOffset entry;
  std::copy_n(from, entry.topic_id.size(), entry.topic_id.begin());
  entry.partition = base::load_le<std::int32_t>(from + 16);
  entry.offset = base::load_le<std::int64_t>(from + 20);
  entry.leader_epoch = base::load_le<std::int32_t>(from + 28);
  return entry;
}

}  // namespace

void store_journal_place(std::byte* to, const JournalPlace& place) noexcept {
  std::copy(place.topic_id.begin(), place.topic_id.end(), to);
  base::store_le(to + place_partition_at, place.partition);
  base::store_le(to + place_base_offset_at, place.base_offset);
  base::store_le(to + place_segment_base_at, place.segment_base_offset);
  base::store_le(to + place_position_at, place.position);
}

void store_journal_synced_range(std::byte* to, const JournalSyncedRange& range) noexcept {
  store_journal_place(to, range.place);
  base::store_le(to + journal_place_bytes, range.length);
}

std::size_t journal_offsets_bytes(const JournalCommittedOffsets& commit) noexcept {
  std::size_t size = commit_bytes + commit.group.size();
  for (const auto& entry : commit.offsets) size += committed_bytes + entry.metadata.size();
  return size;
}

void store_journal_offsets(base::MutableByteSpan to, const JournalCommittedOffsets& commit) noexcept {
  std::byte* at = to.data();
  base::store_le(at, commit.commit_time_ms);
  base::store_le(at + 8, base::narrow<std::uint32_t>(commit.offsets.size()));
  base::store_le(at + 12, base::narrow<std::uint16_t>(commit.group.size()));
  at += commit_bytes;
  at += store_text(at, commit.group);
  for (const auto& entry : commit.offsets) {
    store_entry(at, entry);
    at += committed_bytes;
    at += store_text(at, entry.metadata);
  }
  SERIATIM_ASSERT(at == to.data() + to.size());
}

std::vector<std::byte> encode_journal_offsets(const JournalCommittedOffsets& commit) {
  std::vector<std::byte> payload(journal_offsets_bytes(commit));
  store_journal_offsets(payload, commit);
  return payload;
}

Result<JournalBatch> parse_journal_batch(base::ByteSpan payload) {
  if (payload.size() <= journal_place_bytes) {
    return damaged_payload("a journalled batch of " + std::to_string(payload.size()) +
                           " bytes has a place and no batch");
  }
  const JournalBatch batch{load_place(payload.data()), payload.subspan(journal_place_bytes)};
  if (!is_possible(batch.place)) return damaged_payload("a journalled batch has an impossible place");
  return batch;
}

Result<JournalSyncedRange> parse_journal_synced_range(base::ByteSpan payload) {
  if (payload.size() != journal_synced_range_bytes) {
    return damaged_payload("a journalled synced range has " + std::to_string(payload.size()) +
                           " bytes instead of " + std::to_string(journal_synced_range_bytes));
  }
  const JournalSyncedRange range{load_place(payload.data()),
                                 base::load_le<std::uint64_t>(payload.data() + journal_place_bytes)};
  constexpr auto size_max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!is_possible(range.place) || range.length == 0 || range.length > size_max - range.place.position) {
    return damaged_payload("a journalled synced range has an impossible place");
  }
  return range;
}

Result<JournalForgottenGroup> parse_journal_forgotten_group(base::ByteSpan payload) {
  const JournalForgottenGroup forgotten{base::as_text(payload)};
  if (!forgotten.group.empty() && payload.size() <= std::numeric_limits<std::uint16_t>::max())
    return forgotten;
  return damaged_payload("a journalled deletion of a group has a name of " + std::to_string(payload.size()) +
                         " bytes");
}

Result<JournalCommittedOffsets> parse_journal_offsets(base::ByteSpan payload) {
  const auto cut_off = [&] {
    return damaged_payload("journalled committed offsets of " + std::to_string(payload.size()) +
                           " bytes do not end where their lengths say");
  };
  if (payload.size() < commit_bytes) return cut_off();
  JournalCommittedOffsets commit;
  commit.commit_time_ms = base::load_le<std::int64_t>(payload.data());
  const auto count = base::load_le<std::uint32_t>(payload.data() + 8);
  const auto group_bytes = base::load_le<std::uint16_t>(payload.data() + 12);
  base::ByteSpan rest = payload.subspan(commit_bytes);
  if (rest.size() < group_bytes || (rest.size() - group_bytes) / committed_bytes < count) return cut_off();
  commit.group = base::as_text(rest.first(group_bytes));
  rest = rest.subspan(group_bytes);
  commit.offsets.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (rest.size() < committed_bytes) return cut_off();
    JournalCommittedOffset entry = load_committed(rest.data());
    const auto metadata_bytes = base::load_le<std::uint16_t>(rest.data() + 32);
    rest = rest.subspan(committed_bytes);
    if (rest.size() < metadata_bytes) return cut_off();
    entry.metadata = base::as_text(rest.first(metadata_bytes));
    rest = rest.subspan(metadata_bytes);
    if (entry.partition < 0 || entry.offset < -1 || entry.leader_epoch < -1) {
      return damaged_payload("a journalled committed offset has partition " +
                             std::to_string(entry.partition) + ", offset " + std::to_string(entry.offset) +
                             ", leader epoch " + std::to_string(entry.leader_epoch));
    }
    commit.offsets.push_back(entry);
  }
  if (!rest.empty()) return cut_off();
  return commit;
}

}  // namespace seriatim::format
