// Descriptors 0, 1 and 2 belong to the program's standard streams, open or not: a daemon that has closed them
// still writes to stderr, and would write into whatever file has that number.
#pragma once

#include <cerrno>

#include "os/retry.hpp"

namespace seriatim::os {

/// Puts something that can be neither read nor written (EBADF, as a closed descriptor answers) in the place
/// of each of 0, 1 and 2 that is closed, so that what is opened next does not get it. It stays: to close it
/// later could close what the program has put there meanwhile. A program that execs does not pass it on.
/// Threads: any. Changes nothing where the system refuses it.
/// Cost: three system calls.
void occupy_standard_descriptors() noexcept;

/// `descriptor`, or where it is 0, 1 or 2 (the program closed that one just then) another one of the same
/// open file in its place. -1 stays -1 with its errno.
/// Errors: -1 with the errno of fcntl; `descriptor` is closed then.
int above_standard_descriptors(int descriptor) noexcept;

/// Keeps an open descriptor from the programs that this one starts.
/// Threads: any.
void close_on_exec(int descriptor) noexcept;

/// The result of `open`, a new descriptor or -1 with errno, but never 0, 1 or 2. Repeated after EINTR.
template <class Open>
int open_descriptor(Open open) noexcept {
  occupy_standard_descriptors();
  return above_standard_descriptors(retry_interrupted(open));
}

}  // namespace seriatim::os
