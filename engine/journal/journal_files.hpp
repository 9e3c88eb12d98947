// The ring of files: which hold frames, which are ready for the next, and how one becomes the other.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/result.hpp>

#include "base/mutex.hpp"
#include "journal/journal_options.hpp"
#include "journal/journal_reader.hpp"
#include "os/vfs.hpp"

namespace seriatim::journal {

/// A file written before, open, without a frame.
struct ReadyFile {
  std::unique_ptr<os::File> file{};
  std::uint64_t number = 0;
};

/// Threads: any number, any method. Only `take_next`, `prepare_next` and `recycle_below` wait for the disk.
class JournalFiles {
 public:
  /// @param options  outlive this.
  JournalFiles(const JournalOptions& options, const JournalContents& contents);

  /// Removes what an earlier run did not complete, and spare files that do not fit; makes the names of the
  /// rest durable.
  /// Errors: as the file system.
  Result<void> tidy_up(const JournalContents& contents);

  /// A file for the next frames: one that is ready, or one prepared here and now.
  /// Errors: storage_full · storage_failed (a sync; final) · as the file system. The journal is as before,
  /// and another call may succeed.
  Result<ReadyFile> take_next();
  /// Prepares a file ahead, if none is ready. For a background thread.
  /// Errors: as take_next.
  Result<void> prepare_next();

  /// From `first_lsn` on, frames are written to file `number`.
  void begin(std::uint64_t number, std::uint64_t first_lsn);
  /// The file begun last holds frames up to `last_lsn` in its first `used_bytes` bytes.
  /// One thread at a time: who writes.
  /// Cost: two stores.
  void extend(std::uint64_t last_lsn, std::uint64_t used_bytes) noexcept;
  /// Nothing more is written to the file begun last.
  void end();

  /// Takes every file whose frames are all below `lsn`, except one that is being written, for later use.
  ///
  /// By renaming it to a number not used before: a name is then one life of a file, in whichever order a
  /// crash makes names and bytes durable. A header written over the old one could be torn with frames of both
  /// lives behind it.
  ///
  /// As many are kept as were begun since the call before, and `spare_files_max` at least: a new one costs a
  /// write and a sync of its whole length, which a steady load would else pay over and over. Where there was
  /// no room for one since, no more than `spare_files_max` are.
  /// Errors: storage_failed (a sync; final) · as the file system; what is left is tried again by the next
  /// call.
  /// @param kept_lsn  the file that holds this frame stays, and those behind it; 0: none has to.
  Result<void> recycle_below(std::uint64_t lsn, std::uint64_t kept_lsn = 0);
  /// The last frame up to `synced_lsn` that a file holds; 0: none does.
  std::uint64_t stored_lsn(std::uint64_t synced_lsn) const;
  /// Removes spare files beyond `spare_files_max`.
  /// Errors: as the file system; the next open removes the rest.
  Result<void> remove_excess();

  struct Counts {
    std::uint64_t files = 0;  ///< That hold frames.
    std::uint64_t used_bytes = 0;
    std::uint64_t spare_files = 0;
  };
  Counts counts() const;

 private:
  /// A file without frames that becomes ready by being opened.
  struct Spare {
    std::uint64_t number = 0;
    bool is_cached = false;  ///< Its pages are in memory: it was written or read in this run.
  };

  std::optional<ReadyFile> pop_ready() SERIATIM_EXCLUDES(mutex_);
  std::optional<Spare> first_spare() const SERIATIM_EXCLUDES(mutex_);
  Result<ReadyFile> prepare_one() SERIATIM_REQUIRES(prepare_mutex_);
  Result<ReadyFile> create() SERIATIM_REQUIRES(prepare_mutex_);
  Result<void> take_blocks(const std::string& path) SERIATIM_REQUIRES(prepare_mutex_);
  Result<void> write_zeros(const std::string& path) SERIATIM_REQUIRES(prepare_mutex_);
  Result<void> create_directory() SERIATIM_REQUIRES(prepare_mutex_);
  Result<ReadyFile> adopt(const Spare& spare) SERIATIM_REQUIRES(prepare_mutex_);
  void close_last() SERIATIM_REQUIRES(mutex_);
  std::vector<JournalFileRange> recyclable(std::uint64_t lsn) const SERIATIM_EXCLUDES(mutex_);
  Result<std::optional<Spare>> retire(const JournalFileRange& file, std::size_t spares_allowed)
      SERIATIM_REQUIRES(prepare_mutex_);
  Result<void> retire_below(std::uint64_t lsn, std::size_t spares_kept, std::vector<Spare>& spares,
                            bool& is_changed) SERIATIM_REQUIRES(prepare_mutex_);
  std::size_t take_demand() SERIATIM_REQUIRES(prepare_mutex_) SERIATIM_EXCLUDES(mutex_);
  Result<void> shrink_spares(std::size_t spares_kept) SERIATIM_REQUIRES(prepare_mutex_);
  Result<void> remove(const std::string& name);
  std::string path_of(std::uint64_t number) const;

  const JournalOptions& options_;

  /// One preparation or recycling at a time, so that files are begun in the order of their numbers. Taken
  /// before mutex_.
  base::Mutex prepare_mutex_;
  std::uint64_t next_number_ SERIATIM_GUARDED_BY(prepare_mutex_);
  bool directory_exists_ SERIATIM_GUARDED_BY(prepare_mutex_);

  mutable base::WordMutex mutex_;
  std::vector<JournalFileRange> in_use_ SERIATIM_GUARDED_BY(mutex_);
  bool last_is_open_ SERIATIM_GUARDED_BY(mutex_) = false;  ///< The last of in_use_ is being written ...
  std::atomic<std::uint64_t> open_last_lsn_{0};  ///< ... so far up to here, which it is not told yet.
  std::atomic<std::uint64_t> open_used_bytes_{0};
  std::size_t begun_since_recycling_ SERIATIM_GUARDED_BY(mutex_) = 0;
  bool met_full_disk_ SERIATIM_GUARDED_BY(prepare_mutex_) = false;  ///< Since the last recycling.
  std::optional<ReadyFile> ready_ SERIATIM_GUARDED_BY(mutex_);
  std::deque<Spare> spares_ SERIATIM_GUARDED_BY(mutex_);  ///< Numbers above ready_'s, ascending.
};

}  // namespace seriatim::journal
