// The journal frame that commits a transaction: everything that becomes true with it, in one checksum.
// Little-endian; docs/data_directory.md has the table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/journal/journal_payload.hpp"
#include "format/journal/share_runs.hpp"

namespace seriatim::format {

/// A partition that the transaction wrote to.
struct DecidedPartition {
  Id topic_id{};
  PartitionId partition = 0;
  Offset first_offset = 0;
  Offset last_offset = 0;  ///< Of its last record.
  bool operator==(const DecidedPartition&) const = default;
};

/// A change of a named key-value table.
struct DecidedState {
  std::string_view name{};
  base::ByteSpan key{};
  std::optional<base::ByteSpan> value{};  ///< Nothing: the key is erased.
};

/// Records of which a share group gave up with the transaction: their letters are among what it wrote.
struct DecidedDeaths {
  std::string_view group{};
  Id topic_id{};
  PartitionId partition = 0;
  std::vector<ShareOffsets> runs{};
  bool operator==(const DecidedDeaths&) const = default;
};

struct JournalDecision {
  ProducerId producer_id = -1;
  ProducerEpoch producer_epoch = -1;  ///< Of the transaction's records.
  ProducerEpoch next_epoch = -1;      ///< Of its markers, and of what the producer writes from then on.
  std::int64_t time_ms = 0;
  std::string_view transactional_id{};
  std::vector<DecidedPartition> partitions{};
  std::vector<JournalCommittedOffsets> offsets{};  ///< One entry per group.
  std::vector<DecidedState> state{};
  /// One entry for each group and partition. Where there is none, the payload has no section of them.
  std::vector<DecidedDeaths> deaths{};
  /// Not in the payload: the frame's type is decision_at_leader.
  bool is_at_leader = false;
};

/// The bytes that a part of a decision takes in the payload.
inline constexpr std::size_t decision_head_bytes = 34;  ///< Beside the transactional id.
inline constexpr std::size_t decided_partition_bytes = 36;
inline constexpr std::size_t decided_group_head_bytes = 4;  ///< Beside journal_offsets_bytes.
inline constexpr std::size_t decided_state_head_bytes = 8;  ///< Beside name, key and value.

/// Of the section of deaths, beside its entries.
inline constexpr std::size_t decided_deaths_section_bytes = 4;
/// No more than that for an entry of this group and so many runs.
constexpr std::size_t decided_deaths_bytes_max(std::size_t group_bytes, std::size_t runs) noexcept {
  return 26 + group_bytes + runs * share_offsets_bytes_max;
}

/// The whole payload takes the place of what `payload` holds. Texts and keys have less than 65'536 bytes each
/// (the catalog's limits are lower).
void encode_journal_decision(const JournalDecision& decision, std::vector<std::byte>& payload);
inline std::vector<std::byte> encode_journal_decision(const JournalDecision& decision) {
  std::vector<std::byte> payload;
  encode_journal_decision(decision, payload);
  return payload;
}

/// The inverse; texts, keys and values are views of the payload.
/// Errors: corrupt_metadata: it is not exactly one decision, or a field is outside its range.
/// Threads: any.
Result<JournalDecision> parse_journal_decision(base::ByteSpan payload);

}  // namespace seriatim::format
