// One writing process per data directory. The kernel holds the lock and frees it when the process dies; the
// text in the file is for people and for the message of whoever comes second.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <seriatim/result.hpp>

#include "os/vfs.hpp"

namespace seriatim::os {

/// Name of the lock file inside the data directory.
inline constexpr const char* lock_file_name = "LOCK";

/// The text of the lock file, and whether the lock is held. If it is not, the text is of the last holder.
struct LockInfo {
  std::int64_t pid = 0;
  std::string program{};
  std::string boot_id{};
  std::string since{};  ///< RFC 3339, UTC.
  bool is_held = false;
  /// The boot in which everything was written that the files have behind what was last known to be on stable
  /// storage. Empty: not known.
  std::string settled_boot_id{};
};

/// The right to write to a directory, until destroyed.
///
/// The lock is an open file description lock: a child made by fork() shares it. In such a child the
/// destructor leaves the parent's lock alone; while the child lives without exec, it keeps the lock beyond
/// the parent's death.
/// Threads: one at a time.
class DirLock {
 public:
  /// Holds nothing.
  DirLock() noexcept = default;
  DirLock(DirLock&& other) noexcept;
  DirLock& operator=(DirLock&& other) noexcept;
  ~DirLock();

  bool is_held() const noexcept { return file_ != nullptr; }
  /// Whether the files, when the lock was taken, were as this boot has written them: nothing was lost from
  /// the page cache since they were last known to be whole.
  bool had_settled_in_this_boot() const noexcept { return had_settled_; }
  /// Says that the files are whole, as after a recovery. From here on only a power cut can take what is not
  /// synced.
  /// Errors: those of `File::write_at`; the next open then reckons with a power cut.
  Result<> settle();
  /// Says that the page cache may have lost bytes: after a sync that failed.
  /// Errors: as `settle`.
  Result<> unsettle();
  /// Frees the lock and leaves the file. Does nothing if it is not held.
  void release() noexcept;

 private:
  friend Result<DirLock> acquire_dir_lock(Vfs& vfs, const std::string& directory);
  DirLock(std::unique_ptr<File> file, std::uint64_t fork_generation, bool had_settled) noexcept;

  std::unique_ptr<File> file_{};
  bool had_settled_ = false;
  std::uint64_t fork_generation_ = 0;
};

/// Takes the lock of a directory that exists, without waiting.
///
/// Errors: locked: another process holds it; the message says which and what to do · invalid_state: this
/// process has it already (one engine per directory and process) · others as `Vfs::open` and
/// `File::write_at`.
/// Durability: not a matter of the disk: the kernel frees it with the process, kill -9 included.
Result<DirLock> acquire_dir_lock(Vfs& vfs, const std::string& directory);

/// Whether anybody holds the lock, whatever the file says: a power cut may have taken its text.
/// Errors: as `Vfs::open`.
Result<bool> is_dir_locked(Vfs& vfs, const std::string& directory);

/// Reads who holds, or last held, the lock. Neither takes nor disturbs it.
/// @return nothing if there is no lock file, or it is empty and not held.
/// Errors: as `Vfs::open` · corrupt_metadata: the file is not a lock file of seriatim.
Result<std::optional<LockInfo>> read_lock_info(Vfs& vfs, const std::string& directory);

}  // namespace seriatim::os
