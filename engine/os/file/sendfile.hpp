// Bytes from a file to a socket, pipe or file without passing through user memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include <seriatim/result.hpp>

namespace seriatim::os {

/// Sends a range of a file.
///
/// @param out_fd  socket, pipe or file, blocking or not; its own position moves on.
/// @param in_fd  a regular file; its position is neither used nor changed.
/// @return bytes sent. Fewer than `length`, also 0, if `out_fd` would block, or if an error came after the
/// first bytes: the next call then reports it.
/// Errors: io_error with the errno: EPIPE or ECONNRESET if the receiver is gone, ENODATA if the file ends
/// before `position + 1`. Others as `errno_error`.
/// Threads: any. SIGPIPE of this thread is blocked during the call and the one it raised is consumed, so that
/// a receiver that left is an error and never a signal; handlers and masks of the process are not touched.
/// Cost: sendfile(2) and three calls for the signal mask. Where the kernel cannot (EINVAL: a file in append
/// mode, some file systems) the bytes are copied through a 64 KiB buffer.
Result<std::size_t> send_range(int out_fd, int in_fd, std::uint64_t position, std::size_t length);

}  // namespace seriatim::os
