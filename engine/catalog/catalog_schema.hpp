// Every LMDB database of the catalog on one page. All integers are big-endian, so that LMDB's byte order of
// keys is the numeric order; texts are their bytes.
//
//   database         key                                        value (inside the value codec)
//   ---------------  -----------------------------------------  ---------------------------------------------
//   engine           "engine"                                   EngineRecord: directory id, clean flag, LSN
//                    "transaction"                              u64 number of the transaction that wrote this
//   topics           topic name                                 TopicRecord
//   deleted_topics   topic id (16)                              TopicRecord of a topic whose files may remain
//   partitions       topic id (16) · partition (u32)            PartitionState
//   offsets          group · 00 · topic id (16) · partition     CommittedOffset
//
// Partitions and offsets are keyed by topic id, not name: a topic that is deleted and made again under its
// old name can never inherit them. A group name has no zero byte, so the key can be taken apart from its end,
// and all keys of a group are one run.
//
// "transaction" is written by every transaction. LMDB chooses between its two meta pages by a number that
// nothing protects: a flipped bit in it would bring the state before the last commit back without a word.
// This copy of the number, inside the state it belongs to, shows that.
//
// Longest key: group 255 + 1 + 16 + 4 = 276 bytes; LMDB takes 511.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <seriatim/types.hpp>

#include "catalog/catalog_records.hpp"

namespace seriatim::catalog {

enum class Database : std::uint8_t { engine, topics, deleted_topics, partitions, offsets };

/// LMDB's names, in the order of the enumeration.
inline constexpr std::array<std::string_view, 5> database_names{"engine", "topics", "deleted_topics",
                                                                "partitions", "offsets"};
inline constexpr std::size_t database_count = database_names.size();

constexpr std::string_view name_of(Database database) noexcept {
  return database_names[static_cast<std::size_t>(database)];
}

inline constexpr std::string_view engine_key = "engine";
inline constexpr std::string_view transaction_key = "transaction";

/// Kafka sets no bound on a group's name; ours leaves room in LMDB's 511 bytes.
inline constexpr std::size_t group_name_bytes_max = 255;
/// Kafka's offset.metadata.max.bytes.
inline constexpr std::size_t offset_metadata_bytes_max = 4'096;
/// Bound of Errc::invalid_partitions.
inline constexpr std::int32_t partition_count_max = 10'000;

/// Key of a deleted topic, and prefix of all partition keys of a topic.
std::string topic_id_key(const Id& topic_id);
std::string partition_key(const Id& topic_id, PartitionId partition);
std::string offset_key(std::string_view group, const Id& topic_id, PartitionId partition);
/// Prefix of all offset keys of a group.
std::string group_prefix(std::string_view group);
/// The first key after all offset keys of a group.
std::string after_group(std::string_view group);

/// An offset key taken apart; the views point into it.
struct OffsetKey {
  std::string_view group{};
  Id topic_id{};
  PartitionId partition = 0;
};

/// False if `key` is not an offset key.
bool split_offset_key(std::string_view key, OffsetKey& parts) noexcept;

/// A key for messages: its text if it is printable, else its first bytes in hexadecimal.
std::string printable_key(std::string_view key);

}  // namespace seriatim::catalog
