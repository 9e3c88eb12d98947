// Every LMDB database of the catalog on one page. All integers are big-endian, so that LMDB's byte order of
// keys is the numeric order; texts are their bytes.
//
//   database           key                                     value (inside the value codec)
//   -----------------  --------------------------------------  -------------------------------------------
//   engine             "engine"                                EngineRecord: directory id, clean flag, LSN
//                      "transaction"                           u64 number of the transaction that wrote this
//                      "journal"                               JournalTie; none: an older program wrote last
//                      "moment"                                Moment; none: older programs wrote it
//                      "producer_ids"                          ProducerIds; none: nothing reserved yet
//   topics             topic name                              TopicRecord
//   deleted_topics     topic id (16)                           TopicRecord of a topic whose files may remain
//   partitions         topic id (16) · partition (u32)         PartitionState
//   offsets            group · 00 · topic id (16) · partition  CommittedOffset
//   producers          producer name                           NamedProducer
//   transactional_ids  transactional id                        TransactionalId
//   state              state name · 00 · key                   the value's bytes
//   share_progress     as offsets                              of group/share: what its members were given
//   share_groups       group                                   of group/share: its configuration
//
// The three behind offsets are made in one transaction, by the first writer that knows them, and so are the
// two behind these: a catalog has all of them, or is older and has none. A part of them missing is damage, as
// is any other database that is missing.
//
// Partitions, offsets and progress are keyed by topic id: a new topic of an old name can never inherit them.
// A group name has no zero byte, so the key can be taken apart from its end, and all keys of a group are one
// run. The same goes for the name of a state, from the key's beginning.
//
// "transaction" is written by every transaction. LMDB chooses between its two meta pages by a number that
// nothing protects: a flipped bit in it would bring the state before the last commit back without a word.
// This copy of the number, inside the state it belongs to, shows that.
//
// Longest key: state name 100 + 1 + key 400 = 501 bytes; LMDB takes 511.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <seriatim/types.hpp>

#include "catalog/records/catalog_records.hpp"

namespace seriatim::catalog {

enum class Database : std::uint8_t {
  engine,
  topics,
  deleted_topics,
  partitions,
  offsets,
  producers,
  transactional_ids,
  state,
  share_progress,
  share_groups
};

/// LMDB's names, in the order of the enumeration.
inline constexpr std::array<std::string_view, 10> database_names{
    "engine", "topics",         "deleted_topics", "partitions", "offsets", "producers", "transactional_ids",
    "state",  "share_progress", "share_groups"};
inline constexpr std::size_t database_count = database_names.size();
/// The number of databases that catalogs had, one version after another: an older one lacks all that came
/// later.
inline constexpr std::array<std::size_t, 3> database_counts{5, 8, database_count};
inline constexpr std::size_t first_database_count = database_counts.front();

constexpr std::string_view name_of(Database database) noexcept {
  return database_names[static_cast<std::size_t>(database)];
}

inline constexpr std::string_view engine_key = "engine";
inline constexpr std::string_view transaction_key = "transaction";
inline constexpr std::string_view journal_key = "journal";
inline constexpr std::string_view moment_key = "moment";
inline constexpr std::string_view producer_ids_key = "producer_ids";

/// LMDB's, of the longest key.
inline constexpr std::size_t key_bytes_max = 511;
/// Kafka sets no bound on a group's name; ours leaves room in LMDB's 511 bytes.
inline constexpr std::size_t group_name_bytes_max = 255;
/// As a group's name, so that one rule is to be remembered.
inline constexpr std::size_t producer_name_bytes_max = 255;
inline constexpr std::size_t transactional_id_bytes_max = 255;
/// Name and key share LMDB's 511 bytes.
inline constexpr std::size_t state_name_bytes_max = 100;
inline constexpr std::size_t state_key_bytes_max = 400;
/// Arbitrary: a checkpoint copies every value that changed, under the catalog's writer lock.
inline constexpr std::size_t state_value_bytes_max = std::size_t{1} << 20U;
/// Of what a checkpoint stores: no kind of fact has larger ones, but for the progress of share groups.
inline constexpr std::size_t payload_bytes_max = state_value_bytes_max;
/// A row has a run for each record of its window, which is as large as its last batch made it: no limit of
/// ours would hold, and a row that is left out is lost. LMDB's limit is 4 GiB; a run has a few bytes, and
/// takes many times as many in memory.
inline constexpr std::size_t share_progress_bytes_max = std::size_t{0xFFFF'0000};
/// Of a value in this database.
constexpr std::size_t payload_bytes_max_of(Database database) noexcept {
  return database == Database::share_progress ? share_progress_bytes_max : payload_bytes_max;
}
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

std::string state_key(std::string_view name, std::string_view key);
/// Prefix of all keys of a state.
std::string state_prefix(std::string_view name);
/// The first key after all keys of a state.
std::string after_state(std::string_view name);

/// A state key taken apart; the views point into it.
struct StateKey {
  std::string_view name{};
  std::string_view key{};
};

/// False if `stored` is not a state key.
bool split_state_key(std::string_view stored, StateKey& parts) noexcept;

/// A key for messages: its text if it is printable, else its first bytes in hexadecimal.
std::string printable_key(std::string_view key);

}  // namespace seriatim::catalog
