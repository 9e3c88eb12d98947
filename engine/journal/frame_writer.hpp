// Puts groups of frames into the journal's files.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <seriatim/result.hpp>

#include "base/counter.hpp"
#include "base/xxh3.hpp"
#include "journal/frame_queue.hpp"
#include "journal/journal_files.hpp"
#include "journal/journal_options.hpp"
#include "os/vfs.hpp"

namespace seriatim::journal {

/// Threads: one at a time (the holder of the commit role), except that `write_beside` may run while another
/// thread is in `sync`.
/// Errors: of write and sync: storage_failed is final, the caller must not call again. After any other the
/// same frames may be written again.
class FrameWriter {
 public:
  /// `options` and `files` outlive this.
  FrameWriter(const JournalOptions& options, JournalFiles& files);

  struct Group {
    std::uint64_t first_lsn = 0;
    /// Everything before first_lsn is on stable storage.
    bool prior_is_durable = false;
    /// A sync follows at once.
    bool is_sync_wanted = true;
    /// Another thread may be in `sync`.
    bool is_beside_sync = true;
  };

  /// Writes as many frames from the `first` on as one write takes, at least one, into one file: the next one
  /// if they do not fit into the present one.
  /// @return how many.
  /// Errors: storage_full; io_error and others of preparing a file: nothing of it counts as written.
  Result<std::size_t> write(FrameQueue& frames, std::size_t first, const Group& group);

  /// As `write`, but only into the present file, so that it can run beside a `sync` of that file.
  /// @return 0: they need another file.
  Result<std::size_t> write_beside(FrameQueue& frames, std::size_t first, const Group& group);

  /// Whether a group that fits into the present file, and that no sync follows, is stored and not written.
  bool is_storing() const noexcept { return is_begun_ && map_.is_mapped() && is_unsynced_; }

  /// Brings what was written before the call to stable storage: one fdatasync, none if there is nothing.
  Result<void> sync();

  /// Lets go of the present file if all of its frames are below `lsn`.
  void leave_below(std::uint64_t lsn);

  /// Bytes of the largest frame that can be written.
  std::uint64_t frame_bytes_max() const noexcept { return options_.file_bytes - format::journal_frames_at; }

  /// Calls of fdatasync since open. Any thread.
  std::uint64_t syncs() const noexcept { return syncs_.value(); }

 private:
  struct Extent {
    std::size_t first = 0;
    std::size_t count = 0;
    std::uint64_t bytes = 0;
  };

  Extent choose(const FrameQueue& frames, std::size_t first) const noexcept;
  bool needs_another_file(const Extent& extent, const Group& group) const noexcept;
  Result<std::size_t> write_here(FrameQueue& frames, const Extent& extent, const Group& group);
  Result<void> put(const Group& group);
  void begin_write_back(const os::Mapping& map) noexcept;
  os::Mapping* mapping();
  Result<void> roll();
  void make_header(std::uint64_t first_lsn);
  void gather(FrameQueue& frames, const Extent& extent, const Group& group);
  void add_piece(base::ByteSpan piece);

  const JournalOptions& options_;
  JournalFiles& files_;
  ReadyFile file_;
  os::Mapping map_;        ///< Of file_, once something is to be stored.
  bool is_begun_ = false;  ///< file_ holds a header and frames.
  std::atomic<bool> is_unsynced_{false};
  std::uint64_t position_ = 0;
  std::uint64_t written_back_ = 0;  ///< Up to where the kernel was asked to write.
  std::uint64_t next_lsn_ = 0;      ///< After the last frame in file_.
  std::uint64_t key_ = 0;
  format::JournalHeaderBlock header_block_{};
  base::Xxh3Stream hash_;
  std::vector<base::ByteSpan> pieces_;
  base::SingleWriterCounter syncs_;
};

}  // namespace seriatim::journal
