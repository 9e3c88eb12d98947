/// @file
/// `TopicConfig`: what can be set per topic. Names and defaults are Kafka's; the dotted name of a field is
/// its own name with dots (`segment_bytes` is "segment.bytes").
#pragma once

#include <seriatim/language.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace seriatim {
inline namespace v0 {

/// The clock that a record's timestamp comes from.
enum class TimestampType : std::uint8_t {
  create_time = 0,      ///< The producer's. Text form "CreateTime".
  log_append_time = 1,  ///< The engine's at append; the producer's is overwritten. Text form "LogAppendTime".
};

/// How batches of a topic are compressed.
enum class CompressionType : std::uint8_t {
  producer = 0,      ///< As the producer sent them.
  uncompressed = 1,  ///< Not at all. Text form "uncompressed"; "none" is read as well.
  gzip = 2,
  snappy = 3,
  lz4 = 4,
  zstd = 5,
};

/// The treatment of old records.
enum class CleanupPolicy : std::uint8_t {
  delete_ = 0,             ///< Whole segments go, by age and size. Text form "delete".
  compact = 1,             ///< The newest record of each key stays for ever. Records need a key.
  compact_and_delete = 2,  ///< Both. Text form "compact,delete".
};

/// Settings of one topic, as an aggregate with Kafka's defaults: name only what differs.
///
/// ```
/// TopicConfig config{.segment_bytes = 64 << 20, .retention_ms = -1};
/// ```
/// The ranges below are checked when a topic is created or altered: `invalid_config` names the field and
/// its range. Sizes are bytes, times are milliseconds; as text both take units ("64MiB", "7d").
/// Source: Kafka 4 defaults, except where a field says otherwise.
struct TopicConfig {
  /// Size at which a segment file is closed and the next one begun. 1'024 .. 2'147'483'647; default 1 GiB.
  /// Cost: small segments mean many files; retention and compaction work in whole segments.
  std::int64_t segment_bytes = 1'073'741'824;
  /// Age, in record time, at which a segment is closed although it is not full. >= 1; default 7 days.
  std::int64_t segment_ms = 604'800'000;
  /// Log bytes between two entries of the sparse indexes. 0 .. 2'147'483'647; default 4'096.
  /// Cost: a smaller value buys shorter scans per lookup with larger indexes; 0 indexes every batch.
  std::int64_t index_interval_bytes = 4'096;
  /// Largest size of one offset index file; a full index closes the segment. 12 .. 2'147'483'647; default 10
  /// MiB.
  std::int64_t segment_index_bytes = 10'485'760;
  /// Records older than this go, in whole segments. -1 keeps for ever, 0 drops as soon as possible; default 7
  /// days.
  std::int64_t retention_ms = 604'800'000;
  /// Size per partition above which the oldest segments go. -1 is unlimited, which is the default.
  std::int64_t retention_bytes = -1;
  /// Groups whose reading lets segments go early: one that every group named here has read goes with the next
  /// retention pass, whatever `retention_ms` and `retention_bytes` say. Read is what lies below the committed
  /// offset; a group without one has read nothing. Never the segment that is being written to, nor beyond the
  /// last stable offset; what a reader has pinned stays until it lets go. Needs `delete` in the cleanup
  /// policy. Default none.
  ///
  /// As text: names separated by commas, spaces around them do not count; empty: none. 1 to 255 bytes each,
  /// each once. A name with a comma, or with a space at an end, cannot be given.
  /// Durability: a segment goes only once the offsets that let it go survive power loss: no group is set back
  /// to before the log start by a fault.
  std::vector<std::string> retention_consumed_groups{};
  /// Groups that retention waits for: by age, size or `retention_consumed_groups` no segment goes of which
  /// one of them has not read a record. A group without a committed offset has read nothing, so that the name
  /// of one that never comes keeps everything: when the disk is full because of it, nothing is deleted to
  /// make room, and appends answer storage_full until the group reads on, is set forward
  /// (Admin::alter_group_offsets), or is taken out of the setting, which a full disk does not refuse.
  /// Admin::describe_retention and `seriatim du` say how much is kept, and for which group. Not held up are
  /// Admin::delete_records and Admin::delete_topic, which somebody asks for, and compaction. An offset that
  /// is set back counts from the next retention pass on. Default none. As text and durability: as above.
  std::vector<std::string> retention_unread_groups{};
  /// Largest batch, as stored, that an append accepts. 0 .. 2'147'483'647; default 1'048'588.
  std::int64_t max_message_bytes = 1'048'588;
  /// The clock that stamps the records. Default create_time.
  TimestampType message_timestamp_type = TimestampType::create_time;
  /// How batches are stored. Default producer.
  CompressionType compression_type = CompressionType::producer;
  /// The treatment of old records. Default delete_.
  CleanupPolicy cleanup_policy = CleanupPolicy::delete_;
  /// How long compaction keeps a tombstone, so that readers can still see it. >= 0; default 24 hours.
  std::int64_t delete_retention_ms = 86'400'000;
  /// Age below which a record is never compacted away. >= 0; default 0.
  std::int64_t min_compaction_lag_ms = 0;
  /// Share of not yet compacted bytes from which compaction runs. 0 .. 1; default 0.5.
  /// Cost: a low ratio rewrites often; a high one lets superseded records use the space.
  double min_cleanable_dirty_ratio = 0.5;
  /// Records after which `acks = leader` data is synced. >= 1; the default, 2^63 - 1, is never.
  /// Durability: bounds what a power cut may take of records acknowledged with `leader`.
  std::int64_t flush_messages = 9'223'372'036'854'775'807;
  /// Milliseconds after which `acks = leader` data is synced. >= 0; the default, 2^63 - 1, is never.
  /// Durability: as flush_messages.
  std::int64_t flush_ms = 9'223'372'036'854'775'807;

  bool operator==(const TopicConfig&) const = default;
};

}  // namespace v0
}  // namespace seriatim
