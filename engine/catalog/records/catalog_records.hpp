// The records that the catalog itself reads and writes, as plain values, and their bytes. Kinds of facts that
// the journal tells have a file each. The keys and their values are listed in catalog_schema.hpp.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"

namespace seriatim::catalog {

/// 16 random bytes; the all-zero id is not a legal one (kafka-log 2.7).
using Id = std::array<std::byte, 16>;

struct TopicRecord {
  std::string name{};
  Id topic_id{};
  std::int32_t partition_count = 0;
  std::map<std::string, std::string> config{};  ///< overrides only, dotted names
  std::int64_t created_ms = 0;
  bool operator==(const TopicRecord&) const = default;
};

/// The state of a partition that is kept between two runs, beside its files.
struct PartitionState {
  Offset log_start_offset = 0;
  /// Everything below this offset was synced in its segment; recovery reads from here on.
  Offset recovery_point_offset = 0;
  /// Base offset of the segment that holds the recovery point, and the byte position in it.
  Offset recovery_segment_base = 0;
  std::int64_t recovery_position = 0;
  /// The log end offset at a clean close; -1 unless the last close was clean.
  Offset clean_end_offset = -1;
  /// First offset compaction has not yet looked at (Kafka's cleaner checkpoint).
  Offset compacted_to_offset = 0;
  bool operator==(const PartitionState&) const = default;
};

/// The state of the whole directory.
struct EngineRecord {
  Id directory_id{};
  bool clean_shutdown = false;
  /// Journal frames up to and including this number are in the catalog.
  std::uint64_t covered_lsn = 0;
  bool operator==(const EngineRecord&) const = default;
};

/// The tie of the catalog to the journal beside it, so that parts of different moments are told apart.
struct JournalTie {
  /// A frame that a file of the journal holds from then on, or a later one; 0: there may be none.
  std::uint64_t stored_lsn = 0;
  /// Of the run that writes, or wrote last.
  std::uint64_t incarnation = 0;
  /// Of the newest file that this run found; 0: there was none.
  std::uint64_t found_incarnation = 0;
  bool operator==(const JournalTie&) const = default;
};

/// How far the catalog has come, one higher with every checkpoint: what the logs have seen of it is never
/// higher.
struct Moment {
  std::uint64_t number = 0;  ///< 0: an older program wrote every checkpoint.
  bool operator==(const Moment&) const = default;
};

/// Where the ids of this directory's producers begin: Kafka hands out its own from 0 on, and a broker that
/// takes over our segments must not meet one of its ids in them (it would drop a new producer's records as
/// duplicates).
/// Source: kafka-log 3.5; 2^53, where JavaScript's integers end, is far.
inline constexpr ProducerId first_producer_id = ProducerId{1} << 40U;

/// The ids that were given out: from first_producer_id to below `end`.
struct ProducerIds {
  ProducerId end = first_producer_id;
  bool operator==(const ProducerIds&) const = default;
};

/// A producer that keeps its id from run to run.
struct NamedProducer {
  ProducerId producer_id = 0;
  ProducerEpoch producer_epoch = 0;
  std::int64_t created_ms = 0;
  std::int64_t last_used_ms = 0;
  bool operator==(const NamedProducer&) const = default;
};

/// Payload bytes of each record; the value codec adds version and checksum around them.
std::string encode(const TopicRecord& record);
std::string encode(const PartitionState& record);
std::string encode(const EngineRecord& record);
std::string encode(const JournalTie& record);
std::string encode(const Moment& record);
std::string encode(const ProducerIds& record);
std::string encode(const NamedProducer& record);

/// The inverse. Bytes have passed their checksum, but are bounded and checked again all the same.
/// Errors: corrupt_metadata if the payload is not exactly one record.
Result<TopicRecord> decode_topic(base::ByteSpan payload);
Result<PartitionState> decode_partition_state(base::ByteSpan payload);
Result<EngineRecord> decode_engine(base::ByteSpan payload);
Result<JournalTie> decode_journal_tie(base::ByteSpan payload);
Result<Moment> decode_moment(base::ByteSpan payload);
Result<ProducerIds> decode_producer_ids(base::ByteSpan payload);
Result<NamedProducer> decode_named_producer(base::ByteSpan payload);

}  // namespace seriatim::catalog
