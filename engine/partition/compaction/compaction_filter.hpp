// The second pass of compaction, batch by batch: what of a batch stays (kafka-log 2.12), as bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/batch/batch_rebuilder.hpp"
#include "format/batch/record_cursor.hpp"
#include "format/batch_header.hpp"
#include "partition/compaction/key_map.hpp"
#include "partition/compaction/transaction_fates.hpp"

namespace seriatim::partition {

/// The size to which a batch may expand. A stored batch is at most 2^31 - 1 bytes; its records may not claim
/// more than that either.
inline constexpr std::size_t compacted_section_bytes_max = std::size_t{1} << 31;

/// The newest batch and epoch of a producer, which stay when its records go.
struct LastOfProducer {
  Offset last_offset = -1;  ///< Of its last batch with data in this epoch; -1: only a marker is known.
  ProducerEpoch epoch = -1;
};

struct CompactionRules {
  const KeyMap* keys = nullptr;
  const TransactionFates* fates = nullptr;  ///< nullptr: nothing is known, transactions stay as they are.
  Offset map_end = 0;                       ///< The map knows every key below this offset.
  Offset last_batch_base = -1;  ///< Base offset of the last batch of the cleaned range: survives empty.
  std::int64_t now_ms = 0;
  std::int64_t delete_retention_ms = 0;
  /// Of those that the partition remembers: these batches survive empty. One with data says how far the
  /// sequence went; a marker of an epoch without data, that older epochs are over.
  std::map<ProducerId, LastOfProducer> last_of_producers{};
};

/// Gets every batch of a partition from its front on, in their order, segment after segment: of a marker it
/// has to know whether anything of its transaction is left before it.
class CompactionFilter {
 public:
  explicit CompactionFilter(const CompactionRules& rules) noexcept : rules_(rules) {}

  /// The bytes that take the place of `batch`: itself if nothing is lost, empty if all of it goes. Valid
  /// until the next call.
  /// Errors: corrupt_record: it does not decode.
  Result<base::ByteSpan> apply(const format::BatchHeader& header, base::ByteSpan batch);

  std::uint64_t removed_records() const noexcept { return removed_records_; }

 private:
  Result<base::ByteSpan> apply_marker(const format::BatchHeader& header, base::ByteSpan batch);
  Result<base::ByteSpan> rest_of(const format::BatchHeader& header);
  Result<bool> collect(const format::BatchHeader& header, base::ByteSpan batch);
  bool keeps(const format::BatchHeader& header, Offset offset, const format::DecodedRecord& record) noexcept;
  bool must_survive(const format::BatchHeader& header) const noexcept;
  /// From when on what is kept for its sake only may go. The longest retention means never.
  std::int64_t horizon_ms() const noexcept;

  const CompactionRules& rules_;
  format::BatchRebuilder rebuilder_;
  std::vector<std::byte> scratch_;
  std::vector<format::KeptRecord> kept_;
  bool keeps_tombstone_ = false;
  std::uint64_t removed_records_ = 0;
  /// Producers that had a batch in the transaction whose marker is still to come.
  std::set<ProducerId> producers_with_data_;
};

}  // namespace seriatim::partition
