#include "os/file/allocate.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <string>

#include "os/errno_error.hpp"
#include "os/retry.hpp"

namespace seriatim::os {
namespace {

// Arbitrary: large enough that the system calls do not show beside the writing.
constexpr std::size_t piece_bytes = 64 * 1024;

Result<void> write_zeros(int descriptor, std::uint64_t from, std::uint64_t to, std::string_view path) {
  static constexpr std::array<std::byte, piece_bytes> zeros{};
  while (from < to) {
    const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(piece_bytes, to - from));
    const ssize_t written = retry_interrupted(
        [&] { return ::pwrite(descriptor, zeros.data(), bytes, static_cast<off_t>(from)); });
    if (written <= 0) {
      const int saved = written == 0 ? EIO : errno;
      return errno_error(saved, "allocate by writing zeros at position " + std::to_string(from) + " of",
                         path);
    }
    from += static_cast<std::uint64_t>(written);
  }
  return {};
}

// Where the next hole (SEEK_HOLE) or data (SEEK_DATA) at or after `from` begins; `end` if there is none
// before. A file system that does not know holes answers as if there were none, which is right: it has none.
std::uint64_t seek_next(int descriptor, std::uint64_t from, std::uint64_t end, int what) noexcept {
  const off_t found = ::lseek(descriptor, static_cast<off_t>(from), what);
  return found < 0 ? end : std::min(end, static_cast<std::uint64_t>(found));
}

}  // namespace

Result<void> fill_holes(int descriptor, std::uint64_t position, std::uint64_t length, std::string_view path) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) {
    const int saved = errno;
    return errno_error(saved, "read the size of", path);
  }
  const auto file_end = static_cast<std::uint64_t>(status.st_size);
  const std::uint64_t range_end = position + length;
  const std::uint64_t inside_end = std::min(file_end, range_end);
  std::uint64_t at = position;
  while (at < inside_end) {
    const std::uint64_t hole = seek_next(descriptor, at, inside_end, SEEK_HOLE);
    at = seek_next(descriptor, hole, inside_end, SEEK_DATA);
    if (auto filled = write_zeros(descriptor, hole, at, path); !filled) return filled;
  }
  return write_zeros(descriptor, std::max(position, inside_end), range_end, path);
}

}  // namespace seriatim::os
