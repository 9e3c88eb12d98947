#include "os/descriptor.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace seriatim::os {
namespace {

constexpr int first_free = STDERR_FILENO + 1;

bool is_open(int descriptor) noexcept { return ::fcntl(descriptor, F_GETFD) != -1 || errno != EBADF; }

}  // namespace

void occupy_standard_descriptors() noexcept {
  const int saved = errno;
  for (int descriptor = STDIN_FILENO; descriptor < first_free; ++descriptor) {
    if (is_open(descriptor)) continue;
    // O_PATH: needs no right to anything and no /dev, and no byte can be read from or written to it.
    const int taken = ::open("/", O_PATH | O_CLOEXEC);
    // Another thread has filled the place meanwhile, with what it will.
    if (taken >= first_free) ::close(taken);
    if (taken < 0) break;
  }
  errno = saved;
}

void close_on_exec(int descriptor) noexcept { ::fcntl(descriptor, F_SETFD, FD_CLOEXEC); }

int above_standard_descriptors(int descriptor) noexcept {
  if (descriptor < 0 || descriptor >= first_free) return descriptor;
  const int moved = ::fcntl(descriptor, F_DUPFD_CLOEXEC, first_free);
  const int saved = errno;
  ::close(descriptor);
  errno = saved;
  return moved;
}

}  // namespace seriatim::os
