// Turns an errno into an Error: one table for the code and for what to do next.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <seriatim/error.hpp>

namespace seriatim::os {

/// Makes the Error for a failed system call.
///
/// The message reads "cannot WHAT_FAILED PATH: reason (errno N). What to do next."
/// @param errno_value  errno of the call; the code follows from it: ENOSPC, EDQUOT storage_full · EMFILE,
/// ENFILE too_many_open_files · EACCES, EPERM permission_denied · EROFS read_only · ENOENT, ENOTDIR not_found
/// · anything else io_error.
/// @param what_failed  a verb and what belongs to it, "open" or "write 4096 bytes at position 8192 of".
/// @param path  the file or directory; empty if there is none.
Error errno_error(int errno_value, std::string_view what_failed, std::string_view path);

/// "WHAT LENGTH bytes at position POSITION of", for `what_failed`.
std::string range_text(const char* what, std::uint64_t length, std::uint64_t position);

/// Makes the Error for a failed fsync or fdatasync: storage_failed, whatever the errno.
///
/// The kernel marks pages clean although their write failed, so no later sync of them can be believed.
Error sync_error(int errno_value, std::string_view path);

}  // namespace seriatim::os
