// Reading a journal back: which frames are there, and where what was written ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/result.hpp>

#include "format/journal/journal_decision.hpp"
#include "format/journal/journal_frame.hpp"
#include "format/journal/journal_payload.hpp"
#include "format/journal/journal_share.hpp"
#include "os/vfs.hpp"

namespace seriatim::journal {

/// Where a frame was found.
struct FramePlace {
  std::uint64_t lsn = 0;
  std::string_view path{};  ///< Of the file; valid during the visit.
  std::uint64_t position = 0;
};

/// Takes the frames in order. Its arguments are valid during the call.
/// Errors of every method: any; they end the reading and are passed on.
/// Threads: the one that reads.
class JournalVisitor {
 public:
  virtual ~JournalVisitor() = default;
  JournalVisitor() = default;
  JournalVisitor(const JournalVisitor&) = delete;
  JournalVisitor& operator=(const JournalVisitor&) = delete;

  virtual Result<void> batch(const FramePlace& place, const format::JournalBatch& batch) = 0;
  virtual Result<void> synced_range(const FramePlace& place, const format::JournalSyncedRange& range) = 0;
  virtual Result<void> committed_offsets(const FramePlace& place,
                                         const format::JournalCommittedOffsets& commit) = 0;
  virtual Result<void> decision(const FramePlace& place, const format::JournalDecision& decision) = 0;
  virtual Result<void> forgotten_group(const FramePlace& place,
                                       const format::JournalForgottenGroup& forgotten) = 0;
  virtual Result<void> share_progress(const FramePlace&, const format::JournalShareProgress&) { return {}; }
  virtual Result<void> share_group(const FramePlace&, const format::JournalShareGroup&) { return {}; }
  /// Called behind the function of its type: the frame as it stands in the journal, for who sorts by type.
  virtual Result<void> frame(const FramePlace&, const format::JournalFrame&) { return {}; }
};

/// A file that holds frames.
struct JournalFileRange {
  std::uint64_t number = 0;
  std::uint64_t first_lsn = 0;
  std::uint64_t last_lsn = 0;  ///< first_lsn - 1 if there is none.
  std::uint64_t file_bytes = 0;
  std::uint64_t used_bytes = 0;
};

/// Frames that were stored, are not covered and cannot be read.
struct JournalLoss {
  std::uint64_t first_lsn = 0;
  std::uint64_t last_lsn = 0;
  std::string what{};  ///< Where, and how it is known.
};

/// The contents of a journal's directory.
struct JournalContents {
  std::vector<JournalFileRange> files{};                          ///< In the order of their frames.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> spares{};  ///< Number and length of files not begun.
  std::vector<std::string> leftovers{};                           ///< Names of files that were not completed.
  std::uint64_t next_lsn = 1;
  std::uint64_t next_file_number = 1;
  std::uint64_t frames_visited = 0;
  /// The last frame that a file holds, covered or not; 0: there is none.
  std::uint64_t stored_lsn = 0;
  /// Of the newest file that holds frames; 0: there is none.
  std::uint64_t newest_incarnation = 0;
  bool directory_exists = false;
  // Only with ReadOptions::salvages are there any.
  std::vector<JournalLoss> losses{};   ///< In the order of their frames.
  std::vector<std::string> damaged{};  ///< Names of damaged files; they are in no other list.
};

struct ReadOptions {
  std::string directory{};
  format::Id directory_id{};
  /// The catalog has the facts of all frames up to and including this one.
  std::uint64_t covered_lsn = 0;
  /// The caller holds the directory's lock and is going to write. The files that are read are then brought to
  /// stable storage first: a frame that only the page cache has would be lost in a power cut after later ones
  /// were stored.
  bool is_writer = true;
  /// Damage does not end the reading: what can be read before and behind it is visited, and the rest told in
  /// the contents. For repair.
  bool salvages = false;
  os::Vfs& vfs;
};

/// Visits every frame beyond the covered one, in order, after all of them have been read and checked.
///
/// The valid frames end at the first invalid one of the last file: a torn write, of which nothing was
/// acknowledged.
/// Errors: corrupt_metadata: damage, with file, position and LSN: a frame that was stored is not there, a
/// file has another length than it was given, is no regular file, or belongs to another directory ·
/// unsupported_version: a file or frame of a newer version · storage_failed, io_error, ... as the file
/// system. Nothing has been visited then, unless the visitor refused; nothing was changed.
/// Threads: nobody writes the journal meanwhile.
Result<JournalContents> read_journal(const ReadOptions& options, JournalVisitor& visitor);

/// "00000000000000000001.journal"
std::string journal_file_name(std::uint64_t number);
/// The inverse; nothing if it is no such name.
std::optional<std::uint64_t> parse_journal_file_name(std::string_view name) noexcept;

}  // namespace seriatim::journal
