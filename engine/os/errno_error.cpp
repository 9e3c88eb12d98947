#include "os/errno_error.hpp"

#include <cerrno>
#include <new>
#include <string>
#include <system_error>

namespace seriatim::os {
namespace {

struct ErrnoRow {
  int errno_value;
  Errc code;
  std::string_view next;
};

constexpr std::string_view next_by_default =
    "See the kernel's log (dmesg) for the cause, and try again once it is gone.";

constexpr ErrnoRow errno_rows[] = {
    {ENOSPC, Errc::storage_full, "Free space on this file system and try again."},
    {EDQUOT, Errc::storage_full, "Delete files of this user or have the disk quota raised, and try again."},
    {EMFILE, Errc::too_many_open_files, "Raise the limit (ulimit -n) or close files, and try again."},
    {ENFILE, Errc::too_many_open_files, "Raise fs.file-max (sysctl) or close files, and try again."},
    {EACCES, Errc::permission_denied, "Correct owner and mode of it and of the directories above."},
    {EPERM, Errc::permission_denied, "Correct its owner, or clear its immutable flag (lsattr)."},
    {EROFS, Errc::read_only, "Mount the file system writable, or open read-only."},
    {ENOENT, Errc::not_found, "Check the path."},
    {ENOTDIR, Errc::not_found, "Check the path: a part of it is not a directory."},
    {ELOOP, Errc::io_error, "Give the path without symbolic links."},
    {ENXIO, Errc::io_error, "Give the path of a regular file."},
    {EISDIR, Errc::io_error, "Give the path of a regular file."},
    {EEXIST, Errc::io_error, "Choose another name, or move away what has it."},
    {ENOTEMPTY, Errc::io_error, "Look what is in it, and move it away."},
    {EXDEV, Errc::io_error, "Both names must be on one file system."},
    {ENAMETOOLONG, Errc::io_error, "Use a shorter path."},
    {EFBIG, Errc::io_error, "Raise the file size limit (ulimit -f), or use a file system for larger files."},
    {ENOMEM, Errc::out_of_memory,
     "Free memory, or raise vm.max_map_count (sysctl) and the address space (ulimit -v)."},
    {EIO, Errc::io_error, "The device reports a failure: see the kernel's log (dmesg) and replace it."},
    {EBADF, Errc::io_error, "The file is not open for this; open it again in the right mode."},
    {EINVAL, Errc::io_error, "The file system does not support this: use a local one such as ext4 or xfs."},
    {EOPNOTSUPP, Errc::io_error,
     "The file system does not support this: use a local one such as ext4 or xfs."},
    {ENOLCK, Errc::io_error, "The file system does not support locks: use a local one such as ext4 or xfs."},
    {EPIPE, Errc::io_error, "The receiver has closed its end; connect again."},
    {ECONNRESET, Errc::io_error, "The receiver has closed its end; connect again."},
};

ErrnoRow row_of(int errno_value) noexcept {
  for (const ErrnoRow& row : errno_rows) {
    if (row.errno_value == errno_value) return row;
  }
  return {errno_value, Errc::io_error, next_by_default};
}

// A failed sync for which no message can be made. Made while there is memory.
const Error& without_text() {
  static const Error error(
      Errc::storage_failed,
      "a file could not be brought to stable storage, and there is no memory to say "
      "which. Close the engine, see to the disk, and open again: opening reads back what "
      "the disk has.",
      EIO);
  return error;
}
[[maybe_unused]] const Error& made_at_load = without_text();

std::string message_of(int errno_value, std::string_view what_failed, std::string_view path,
                       std::string_view next) {
  std::string message = "cannot ";
  message.append(what_failed);
  if (!path.empty()) message.append(" ").append(path);
  message.append(": ").append(std::generic_category().message(errno_value));
  message.append(" (errno ").append(std::to_string(errno_value)).append("). ").append(next);
  return message;
}

}  // namespace

Error errno_error(int errno_value, std::string_view what_failed, std::string_view path) {
  const ErrnoRow row = row_of(errno_value);
  return {row.code, message_of(errno_value, what_failed, path, row.next), errno_value};
}

std::string range_text(const char* what, std::uint64_t length, std::uint64_t position) {
  return std::string(what) + " " + std::to_string(length) + " bytes at position " + std::to_string(position) +
         " of";
}

Error sync_error(int errno_value, std::string_view path) {
  constexpr std::string_view next =
      "The kernel may have dropped what was not written. Close the engine, see to the disk, and open again: "
      "opening reads back what the disk has.";
  try {
    return {Errc::storage_failed, message_of(errno_value, "bring to stable storage", path, next),
            errno_value};
  } catch (const std::bad_alloc&) {
    // Final is final, whether there is memory to say more or not.
    return without_text();
  }
}

}  // namespace seriatim::os
