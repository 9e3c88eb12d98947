// DIR/FORMAT: what kind of directory this is. Text, for people with `cat`; checked, for us.
//
//   seriatim data directory
//   format 1
//   features 000000000000000f
//   directory 0123456789abcdef0123456789abcdef
//   checksum 0123456789abcdef
//
// The checksum is XXH3-64 of everything before its line. A higher format, or a feature bit that is not known,
// means a newer seriatim: refused as such before anything else is looked at, also the checksum, whose rule
// may have changed.
#pragma once

#include <cstdint>
#include <string>

#include <seriatim/result.hpp>

#include "catalog/records/catalog_records.hpp"
#include "os/vfs.hpp"

namespace seriatim::directory {

inline constexpr const char* format_file_name = "FORMAT";
inline constexpr int format_version = 1;

/// The catalog keeps producers, transactional ids and state, and the journal and the segments hold
/// transactions: a program that does not know them would lose them.
inline constexpr std::uint64_t feature_transactions = 1;
/// The journal says which groups were deleted, and the catalog what it saw stored in the journal. A program
/// that does not know of it would bring positions of deleted groups back, and leave the tie between the two
/// as it was.
inline constexpr std::uint64_t feature_journal_facts = 2;
/// The journal and the catalog have the progress of share groups: a program that does not know them would
/// lose it, and deliver records again that are done.
inline constexpr std::uint64_t feature_share_groups = 4;
/// The settings of a topic may name groups that its retention depends on. A program that does not know of
/// them would put the defaults in force for the topic, and delete what those call too old.
inline constexpr std::uint64_t feature_retention_groups = 8;
/// All that this program knows, and what a directory is born with.
inline constexpr std::uint64_t known_features =
    feature_transactions | feature_journal_facts | feature_share_groups | feature_retention_groups;

struct FormatFile {
  int version = format_version;
  std::uint64_t features = known_features;
  catalog::Id directory_id{};
};

/// Errors: not_found; unsupported_version; corrupt_metadata.
Result<FormatFile> read_format_file(os::Vfs& vfs, const std::string& directory);
/// Written beside, synced, renamed, directory synced.
Result<> write_format_file(os::Vfs& vfs, const std::string& directory, const FormatFile& format);

/// Sets the feature bits that this program may make use of and `format` does not have, as
/// write_format_file(). Without effect if it has all of them.
Result<> add_features(os::Vfs& vfs, const std::string& directory, FormatFile format);

/// 32 hexadecimal digits.
std::string id_text(const catalog::Id& id);
/// Kafka's text form of a UUID: URL-safe base64 without padding, 22 characters.
std::string kafka_uuid_text(const catalog::Id& id);
/// 16 random bytes, a version-4 UUID whose Kafka text does not begin with '-'.
catalog::Id random_id();

}  // namespace seriatim::directory
