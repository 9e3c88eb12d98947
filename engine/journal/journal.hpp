// `Journal`: what an acknowledgement waits for. Frames are staged from many threads and written in groups,
// each with one write and one fdatasync, however many wait for it.
//
// A blocking waiter commits by itself, for everybody who waits: handing the work to a thread would cost two
// context switches, as much as half a sync. A caller that arrives while a group is under way is in the next
// one; the running sync is the linger. A caller that only wants its frame to be written does not wait for a
// sync that is under way: it writes beside it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include <seriatim/result.hpp>

#include "base/counter.hpp"
#include "base/mutex.hpp"
#include "journal/frame_writer.hpp"
#include "journal/journal_files.hpp"
#include "journal/journal_options.hpp"
#include "journal/journal_reader.hpp"
#include "journal/staged_frame.hpp"

namespace seriatim::journal {

struct JournalStats {
  std::uint64_t files = 0;          ///< That hold frames.
  std::uint64_t bytes_in_use = 0;   ///< Of frames not yet below a checkpoint, by whole files.
  std::uint64_t spare_files = 0;    ///< Ready or nearly so.
  std::uint64_t frames_staged = 0;  ///< Not written yet.
  std::uint64_t bytes_staged = 0;
  std::uint64_t staged_lsn = 0;
  std::uint64_t written_lsn = 0;
  std::uint64_t durable_lsn = 0;
  std::uint64_t groups = 0;
  std::uint64_t frames = 0;  ///< Written since open.
  std::uint64_t syncs = 0;
  std::uint64_t waiting = 0;  ///< Threads that sleep until a group under way ends.
  /// base::Clock::monotonic_ns when the oldest frame of the group under way, or else the oldest not written
  /// yet, was staged; 0 if there is none.
  std::int64_t oldest_staged_ns = 0;
};

/// Threads: any number, any method.
///
/// Errors of everything that waits: storage_failed: a write or a sync failed, and nothing more is accepted
/// until the engine is opened again · storage_full: there is no room for a journal file; nothing of what
/// waits was acknowledged or written, it stays staged and the next call tries again. A checkpoint helps
/// (recycle_below) · too_many_open_files, io_error, ...: a file could not be prepared; as storage_full ·
/// closed.
class Journal {
 public:
  /// @param contents  of read_journal with is_writer: frames continue after them, in a file of their own.
  /// Errors: invalid_argument (an option) · as the file system.
  static Result<std::unique_ptr<Journal>> open(JournalOptions options, const JournalContents& contents);

  /// Closes; whoever wants to know whether that succeeded calls close().
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Of the largest frame that a file holds.
  std::uint64_t payload_bytes_max() const noexcept {
    return writer_.frame_bytes_max() - format::journal_frame_header_bytes;
  }

  /// Gives the frame its place in the journal. To be called under the lock that orders what the frame tells
  /// of.
  /// @return its LSN, one more than the last.
  /// Errors: storage_failed · closed · record_too_large: no file holds it. Nothing was staged.
  /// Cost: a short mutex, a copy of what has no pin; no allocation once as much was staged at a time before.
  Result<std::uint64_t> stage(StagedFrame&& frame);
  /// The same for who will call `write_through` next, and waits for nothing else: where the frame can be
  /// stored at once, it is.
  Result<std::uint64_t> stage_through(StagedFrame&& frame);

  /// Waits until the frame and all before it are on stable storage.
  /// @param lsn  of stage.
  Result<void> wait_durable(std::uint64_t lsn);
  /// Waits until they are written: they survive the death of the process.
  Result<void> write_through(std::uint64_t lsn);

  /// Everything up to here is on stable storage.
  std::uint64_t durable_lsn() const noexcept { return durable_lsn_.load(std::memory_order_acquire); }
  bool is_durable(std::uint64_t lsn) const noexcept { return durable_lsn() >= lsn; }
  /// Everything up to here survives the death of the process. A frame that is staged later has a larger LSN.
  std::uint64_t written_lsn() const noexcept { return written_lsn_.load(std::memory_order_acquire); }

  /// ok, or storage_failed or closed: why nothing more is accepted.
  Result<void> check() const;
  /// Makes the journal fail as a failed sync of its own would: the owner has seen one elsewhere.
  void fail(const Error& cause);

  /// Prepares a file ahead, in the caller's thread, so that no commit has to.
  /// Errors: as take_next of JournalFiles.
  Result<void> prepare_next();

  /// Tells that a checkpoint has the facts of all frames below `lsn`, on stable storage. Their files are for
  /// later use; frames not written yet need not be, and count as durable.
  /// @param lsn  from 1 to one more than the last staged.
  /// @param kept_lsn  what stored_lsn() said before the checkpoint was stored: the file with this frame
  /// stays.
  /// Errors: storage_failed (final) · as the file system; the rest is tried again by the next call.
  Result<void> recycle_below(std::uint64_t lsn, std::uint64_t kept_lsn = 0);
  /// The last frame that is on stable storage in a file; 0 if there is none, or if every file is needed for
  /// want of another. With it in the catalog, a journal of another moment is told from this one.
  std::uint64_t stored_lsn() const;

  JournalStats stats() const;
  /// As JournalStats tells it.
  std::uint64_t bytes_in_use() const { return files_.counts().used_bytes; }

  /// Makes everything staged durable, and gives back the space of spare files beyond
  /// JournalOptions::spare_files_max. Later calls answer closed. Idempotent.
  /// Errors: as everything that waits; what could not be made durable is given up then · as the file system:
  /// a spare file could not be removed, and the next open tries again.
  Result<void> close();

 private:
  enum class Level : std::uint8_t { written, durable };
  /// How this thread writes: with the commit role, beside the sync of its holder, or alone while nobody has
  /// it.
  enum class Writing : std::uint8_t { with_role, beside, alone };

  /// Waiters who sleep on one word.
  struct Sleepers {
    std::atomic<std::uint32_t> sequence{0};
    std::atomic<std::uint32_t> count{0};
  };

  /// The threads to be woken when the mutex is free.
  struct Wake {
    Sleepers* one = nullptr;
    Sleepers* all[2] = {nullptr, nullptr};
  };

  Journal(JournalOptions options, const JournalContents& contents);

  // journal.cpp
  Result<void> check_fits(std::uint64_t frame_bytes) const;
  Result<std::uint64_t> enqueue(StagedFrame&& frame, std::uint64_t bytes) SERIATIM_REQUIRES(mutex_);
  bool is_reached(std::uint64_t lsn, Level level) const noexcept;
  Result<void> wait(std::uint64_t lsn, Level level) SERIATIM_EXCLUDES(mutex_);
  static void sleep(Sleepers& sleepers, std::uint32_t sequence) noexcept;
  void want_durable(std::uint64_t lsn) SERIATIM_REQUIRES(mutex_);
  void refuse(Error why) SERIATIM_REQUIRES(mutex_);

  // journal_commit.cpp
  void take_role() SERIATIM_REQUIRES(mutex_);
  void acquire_role() SERIATIM_EXCLUDES(mutex_);
  void lead() SERIATIM_EXCLUDES(mutex_);
  Result<void> commit_group();
  Result<void> sync_group();
  Result<void> write_group();
  Result<std::size_t> write_pending(Writing how);
  Result<std::size_t> write_group_of(Writing how, const FrameWriter::Group& group);
  bool write_beside() SERIATIM_REQUIRES(mutex_);
  bool store_alone() SERIATIM_REQUIRES(mutex_);
  void sleep_beside() SERIATIM_REQUIRES(mutex_);
  void wake_beside() noexcept SERIATIM_REQUIRES(mutex_);
  void skip_pending(std::size_t count);
  void take_staged() SERIATIM_REQUIRES(mutex_);
  void finish(const Result<void>& outcome) SERIATIM_EXCLUDES(mutex_);
  bool has_changed_for_all() const noexcept SERIATIM_REQUIRES(mutex_);
  void note_failure(const Error& error) SERIATIM_REQUIRES(mutex_);
  /// Tells of a failure that is final; does nothing for others.
  void tell_owner(const Error& error);
  void release_role(Wake& whom) SERIATIM_REQUIRES(mutex_);
  void wake(const Wake& whom) noexcept;
  void drop_below(std::uint64_t lsn) SERIATIM_EXCLUDES(mutex_);

  const JournalOptions options_;
  JournalFiles files_;

  std::atomic<std::uint64_t> written_lsn_;
  std::atomic<std::uint64_t> durable_lsn_;
  std::atomic<std::uint64_t> synced_lsn_;  ///< As durable_lsn_, but for what a checkpoint made durable.
  /// The largest LSN somebody wants to be durable. Written under mutex_.
  std::atomic<std::uint64_t> wanted_lsn_{0};
  base::SingleWriterCounter groups_;
  base::SingleWriterCounter frames_;
  std::atomic<std::uint64_t> pending_frames_{0};  // of pending_, not written yet
  std::atomic<std::uint64_t> pending_bytes_{0};

  mutable base::WordMutex mutex_;
  FrameQueue staged_ SERIATIM_GUARDED_BY(mutex_);
  std::uint64_t staged_bytes_ SERIATIM_GUARDED_BY(mutex_) = 0;
  std::int64_t staged_since_ns_ SERIATIM_GUARDED_BY(mutex_) = 0;
  std::int64_t pending_since_ns_ SERIATIM_GUARDED_BY(mutex_) = 0;
  std::int64_t group_since_ns_ SERIATIM_GUARDED_BY(mutex_) =
      0;  // of the group under way; 0: it writes nothing
  std::uint64_t next_lsn_ SERIATIM_GUARDED_BY(mutex_);
  bool is_closing_ SERIATIM_GUARDED_BY(mutex_) = false;
  bool role_is_taken_ SERIATIM_GUARDED_BY(mutex_) = false;
  /// The holder of the role leaves pending frames alone.
  bool is_syncing_ SERIATIM_GUARDED_BY(mutex_) = false;
  bool is_written_beside_ SERIATIM_GUARDED_BY(mutex_) = false;  ///< Somebody writes meanwhile.
  /// Which of sleepers_ waits for the group under way; the other one for the group after it.
  int parity_ SERIATIM_GUARDED_BY(mutex_) = 0;
  std::uint64_t group_end_lsn_ SERIATIM_GUARDED_BY(mutex_) = 0;
  std::uint64_t failures_ SERIATIM_GUARDED_BY(mutex_) = 0;
  std::uint64_t failures_before_group_ SERIATIM_GUARDED_BY(mutex_) = 0;
  std::optional<Error> last_failure_ SERIATIM_GUARDED_BY(mutex_);
  /// Why nothing more is committed: storage_failed, or closed.
  std::optional<Error> refusal_ SERIATIM_GUARDED_BY(mutex_);
  std::atomic<bool> is_refusing_{false};  ///< Whether there is one.
  /// The last group could not be written for want of a file.
  bool is_starved_ SERIATIM_GUARDED_BY(mutex_) = false;
  Sleepers sleepers_[2];
  Sleepers beside_sleepers_;  ///< Threads that wait to write, until a sync begins or a write beside it ends.

  // Of whoever holds the commit role, or writes beside its sync.
  FrameWriter writer_;
  FrameQueue pending_;
  std::size_t pending_done_ = 0;  ///< Of pending_, how many are written.
  FrameQueue dropped_;
};

}  // namespace seriatim::journal
