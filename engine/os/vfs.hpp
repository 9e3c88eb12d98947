// The seam between the engine and the file system. Tests stand behind it to lose, tear and refuse what was
// not synced; the real one is posix_vfs(). Calls are virtual, so the append and fetch paths go through a
// Mapping instead, which is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"
#include "os/mapping.hpp"

namespace seriatim::os {

enum class OpenMode : std::uint8_t {
  read,            ///< Must exist.
  read_write,      ///< Must exist.
  create_new,      ///< Read and write; must not exist (io_error with errno EEXIST otherwise).
  open_or_create,  ///< Read and write; created empty where missing.
};

/// Tells files apart whatever their names: what has taken the place of another under its name is a different
/// file.
struct FileId {
  std::uint64_t device = 0;
  std::uint64_t number = 0;
  bool operator==(const FileId&) const = default;
};

/// An open regular file, closed by the destructor.
///
/// Positions are bytes from the start. Interrupted and short transfers are continued inside.
/// Threads: any number at a time; overlapping writes are the callers' to order.
class File {
 public:
  virtual ~File() = default;
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  /// Reads until `into` is full or the file ends.
  /// @return bytes read; fewer than `into.size()` only at the end of the file.
  /// Errors: io_error.
  virtual Result<std::size_t> read_at(base::MutableByteSpan into, std::uint64_t position) = 0;

  /// Writes all of `from`.
  /// Errors: storage_full, io_error; any part of the range may have been written then.
  /// Durability: page cache only: survives the death of the process, not a power cut. See `sync_data`.
  virtual Result<void> write_at(base::ByteSpan from, std::uint64_t position) = 0;

  /// Writes the pieces one after another as `write_at` would write their concatenation.
  /// Errors, durability: as `write_at`.
  /// Cost: one system call per 1024 pieces (IOV_MAX), no copy.
  virtual Result<void> write_gather_at(std::span<const base::ByteSpan> pieces, std::uint64_t position) = 0;

  /// Allocates blocks for a range, extending the file if it ends before. Stored bytes stay; new bytes
  /// read 0.
  ///
  /// Where the file system has no fallocate, zeros are written into what is not there yet; nobody else may
  /// write to the range meanwhile. See `FileSystem::keeps_allocated_blocks` on what an allocation is worth.
  /// Errors: invalid_argument (length 0) · storage_full, io_error; the file may be longer than before then.
  virtual Result<void> allocate(std::uint64_t position, std::uint64_t length) = 0;

  /// Sets the length; cuts, or extends with a hole.
  /// Errors: storage_full, io_error. A mapping must not be touched beyond the new end.
  virtual Result<void> truncate(std::uint64_t size) = 0;

  /// Brings everything written or stored through a mapping before this call, and the length, to stable
  /// storage.
  ///
  /// Errors: storage_failed. It is final: the kernel may have dropped what it could not write, and a second
  /// call would then report success over lost data. Never call it again on this file; reopen, and read from
  /// the disk.
  /// Durability: survives power loss, if the file's directory entry does (`Vfs::sync_directory`).
  virtual Result<void> sync_data() = 0;

  /// As `sync_data`, and every other attribute, such as the modification time.
  virtual Result<void> sync_all() = 0;

  /// Has the kernel begin to write a range to the disk, without waiting, so that a later sync has less to do.
  /// No more than a hint: nothing is durable before that sync, which also tells what went wrong here. Bytes
  /// that are stored to these pages meanwhile cost a fault each.
  virtual void begin_write_back(std::uint64_t position, std::uint64_t length) noexcept {
    static_cast<void>(position);
    static_cast<void>(length);
  }

  /// Length in bytes.
  /// Errors: io_error.
  virtual Result<std::uint64_t> size() = 0;

  /// Maps the file from position 0; `length` may exceed the file (see `Mapping`).
  /// Errors: invalid_argument (length 0) · io_error · permission_denied (read_write on a file opened to
  /// read).
  virtual Result<Mapping> map(std::uint64_t length, Access access) = 0;

  /// Drops clean cached pages of a range, so that the next read comes from the disk. Length 0: to the end.
  /// Errors: io_error.
  virtual Result<void> drop_cache(std::uint64_t position, std::uint64_t length) = 0;

  /// The descriptor, for sendfile and locks. Owned by this object.
  virtual int descriptor() const noexcept = 0;

  /// As it was opened; lives as long as this object, and is not changed by a rename.
  virtual const std::string& path() const noexcept = 0;

  /// Which file this is, as long as anybody has it open or mapped. Files that tests make may all be the same.
  /// Errors: io_error.
  virtual Result<FileId> id() { return FileId{}; }
  /// Modification time in ms since the epoch.
  /// Errors: io_error.
  virtual Result<std::int64_t> modified_ms() = 0;
  /// Errors: permission_denied, io_error.
  virtual Result<void> set_modified_ms(std::int64_t ms) = 0;
};

enum class EntryKind : std::uint8_t { file, directory, symlink, other };

struct DirEntry {
  std::string name{};
  EntryKind kind = EntryKind::other;
};

/// The known facts of the file system under a path.
struct FileSystem {
  std::uint64_t free_bytes = 0;  ///< Free to this user (without what is reserved for root).
  std::uint64_t total_bytes = 0;
  std::string type_name{};  ///< "ext4", "xfs", "tmpfs", ...; "0x..." for one this library has no name for.
  bool is_read_only = false;
  /// A store into an allocated block here never needs a new block, so it cannot meet a full disk. False for
  /// copy-on-write, network, stacked and unknown file systems.
  bool keeps_allocated_blocks = false;
};

/// A file system. Paths are absolute or relative to the working directory.
/// Threads: any.
class Vfs {
 public:
  virtual ~Vfs() = default;
  Vfs() = default;
  Vfs(const Vfs&) = delete;
  Vfs& operator=(const Vfs&) = delete;

  /// Opens or creates a regular file. Never follows a symbolic link in the last component, never blocks on
  /// a FIFO.
  ///
  /// New files get mode 0640 less the umask.
  /// Errors: not_found · permission_denied · read_only · storage_full · too_many_open_files · io_error: it is
  /// a symbolic link, FIFO, socket, device or directory, or EEXIST (create_new).
  /// Durability: a new file's name is durable after `sync_directory` of its directory.
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;

  /// Renames within one file system; replaces what `to` names.
  /// Errors: not_found · permission_denied · read_only · storage_full · io_error.
  /// Durability: atomic; durable after `sync_directory` of both directories.
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;

  /// Deletes a file's name. Open files and mappings of it stay valid.
  /// Errors: not_found · permission_denied · read_only · io_error.
  /// Durability: as `rename`.
  virtual Result<void> remove(const std::string& path) = 0;

  /// Creates one directory with mode 0750 less the umask.
  /// Errors: io_error with errno EEXIST if the name is taken · not_found (parent) · others as `open`.
  virtual Result<void> create_directory(const std::string& path) = 0;

  /// Deletes an empty directory.
  /// Errors: not_found · io_error (ENOTEMPTY, ...) · permission_denied · read_only.
  virtual Result<void> remove_directory(const std::string& path) = 0;

  /// The entries of a directory in bytewise order of names, without "." and "..". A symbolic link is not
  /// followed, unless the path ends in a slash.
  /// Errors: not_found · permission_denied · too_many_open_files · io_error.
  virtual Result<std::vector<DirEntry>> list(const std::string& path) = 0;

  /// Makes every earlier create, rename and remove of a name in this directory durable.
  /// Errors: storage_failed (final, as `File::sync_data`) · not_found · too_many_open_files.
  virtual Result<void> sync_directory(const std::string& path) = 0;

  /// Whether the name exists, whatever it is (a dangling symbolic link does).
  /// Errors: permission_denied · io_error.
  virtual Result<bool> exists(const std::string& path) = 0;

  /// Errors: not_found · io_error.
  virtual Result<FileSystem> file_system(const std::string& path) = 0;
};

}  // namespace seriatim::os
