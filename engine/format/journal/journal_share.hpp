// The journal frames that tell of share groups: what of a partition's deliveries lasts, and a group's
// configuration. Little-endian; docs/data_directory.md has the tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/journal/journal_frame.hpp"
#include "format/journal/share_runs.hpp"

namespace seriatim::format {

enum class ShareProgressKind : std::uint8_t {
  changed = 0,    ///< The runs take the place of what is known of their offsets.
  replaced = 1,   ///< Start offset and runs are all that is known.
  forgotten = 2,  ///< Nothing is known: there are neither.
};

/// Of one group, in one partition.
struct JournalShareProgress {
  std::string_view group{};
  Id topic_id{};
  PartitionId partition = 0;
  ShareProgressKind kind = ShareProgressKind::changed;
  /// Everything below is done; -1: this is as it was.
  Offset start_offset = -1;
  std::vector<ShareRun> runs{};
  bool operator==(const JournalShareProgress&) const = default;
};

/// The whole configuration of a group, as text, in ascending order of the names; or the end of the group: its
/// configuration and its progress in every partition.
struct JournalShareGroup {
  std::string_view group{};
  bool is_forgotten = false;
  std::vector<std::pair<std::string_view, std::string_view>> config{};
  bool operator==(const JournalShareGroup&) const = default;
};

/// The whole payload takes the place of what `payload` holds. Texts have less than 65'536 bytes each.
/// Cost: no allocation once `payload` was as large.
void encode_journal_share_progress(const JournalShareProgress& progress, std::vector<std::byte>& payload);
void encode_journal_share_group(const JournalShareGroup& group, std::vector<std::byte>& payload);

/// The inverse; texts are views of the payload.
/// Errors: corrupt_metadata: it is not exactly one such payload, or a field is outside its range.
/// Threads: any.
Result<JournalShareProgress> parse_journal_share_progress(base::ByteSpan payload);
Result<JournalShareGroup> parse_journal_share_group(base::ByteSpan payload);

/// The configuration by itself: its number of pairs (uint16), then per pair the lengths of name and value
/// (uint16 each), name and value.
using ShareConfigPairs = std::vector<std::pair<std::string_view, std::string_view>>;
void append_share_config(std::vector<std::byte>& to, const ShareConfigPairs& config);
/// @param from  moves behind it.
Result<ShareConfigPairs> take_share_config(base::ByteSpan& from);

}  // namespace seriatim::format
