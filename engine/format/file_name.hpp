// Names of the files of a partition and of its directory, as Kafka's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <seriatim/types.hpp>

namespace seriatim::format {

enum class FileKind : std::uint8_t {
  log,                ///< `.log`
  offset_index,       ///< `.index`
  time_index,         ///< `.timeindex`
  transaction_index,  ///< `.txnindex`
  snapshot,           ///< `.snapshot`; the number is the offset it reaches to, not a segment's base.
  producers,          ///< `.producers`, ours: stands beside the snapshot of the same number.
};

enum class FileState : std::uint8_t {
  live,
  deleted,  ///< `.deleted`: replaced or retired, to be removed.
  cleaned,  ///< `.cleaned`: output of a compaction that is not complete.
  swap,     ///< `.swap`: complete output that takes the place of the originals.
};

struct FileName {
  Offset offset = 0;
  FileKind kind = FileKind::log;
  FileState state = FileState::live;
  bool operator==(const FileName&) const = default;
};

/// "00000000000000000042.log", "00000000000000000042.index.cleaned". `offset` is not negative.
std::string file_name(Offset offset, FileKind kind, FileState state = FileState::live);

/// nullopt for names that file_name does not make.
std::optional<FileName> parse_file_name(std::string_view name) noexcept;

enum class DirectoryState : std::uint8_t {
  live,
  deleted,  ///< `-delete`: being removed.
  future,   ///< `-future`: being moved to another disk, by Kafka.
  stray,    ///< `-stray`: not known to Kafka's metadata.
};

struct PartitionDirectory {
  TopicPartition topic_partition{};
  DirectoryState state = DirectoryState::live;
  bool operator==(const PartitionDirectory&) const = default;
};

/// "orders-0".
std::string partition_directory(std::string_view topic, PartitionId partition);

/// "orders-0.<id>-delete": the name under which a directory is removed, so that its own is free at once. Cut
/// to the 255 bytes a file name may have, from the topic's end.
/// @param unique_id  32 lower-case hexadecimal digits.
std::string deleted_partition_directory(const TopicPartition& topic_partition, std::string_view unique_id);

/// nullopt for names that are no partition's. In states other than live the topic may have been cut.
std::optional<PartitionDirectory> parse_partition_directory(std::string_view name);

}  // namespace seriatim::format
