// How a journal is set up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include <seriatim/error.hpp>
#include <seriatim/result.hpp>

#include "base/clock.hpp"
#include "format/journal/journal_frame.hpp"
#include "os/file/posix_vfs.hpp"
#include "os/vfs.hpp"

namespace seriatim::journal {

inline constexpr std::uint32_t journal_file_bytes_min = 64U << 10;
/// The largest file that a reader is ready to hold in memory; a larger file was not written by this library.
inline constexpr std::uint32_t journal_file_bytes_max = 1U << 30;
inline constexpr std::uint32_t journal_file_bytes_unit = 4096;

struct JournalOptions {
  /// DIR/journal; created with the first file.
  std::string directory{};
  format::Id directory_id{};
  /// A number no earlier open of this directory has used; a random one is.
  std::uint64_t incarnation = 0;
  /// `journal.file.bytes`: a multiple of 4'096 between the two limits above.
  std::uint32_t file_bytes = 16U << 20;
  /// Bytes of one write; more waits for the next. Bounds the latency of whoever comes behind (arbitrary).
  std::uint32_t group_bytes_max = 4U << 20;
  /// Frames that nobody wants to be on stable storage yet are stored through a mapping instead of written by
  /// a call. For file systems that keep allocated blocks (see os::FileSystem): else a store can meet a full
  /// disk.
  bool mapped_writes = false;
  /// Files kept for later use by a journal that has little to do. One with more to do keeps what it uses
  /// between two checkpoints; what a burst leaves is deleted by the checkpoint after next, or the close.
  std::size_t spare_files_max = 2;
  /// Asked before blocks are taken for a new file; an error refuses it.
  std::function<Result<void>()> before_taking{};
  /// Called when they are taken, or were not to be had, if it was allowed.
  std::function<void()> after_taking{};
  /// Called when the file that was ready has been taken: somebody may call `Journal::prepare_next`. From the
  /// thread that commits, which must not wait here, nor call the journal.
  std::function<void()> on_file_taken{};
  os::Vfs& vfs = os::posix_vfs();
  const base::Clock& clock = base::system_clock();
  /// Called with the cause that makes the journal fail for good, before anybody is answered; again if two
  /// causes meet. From any thread that waits, prepares or recycles; must not call the journal, which fails by
  /// itself.
  std::function<void(const Error&)> on_storage_failed{};
};

}  // namespace seriatim::journal
