#include "os/file/posix_file.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>

#include "os/errno_error.hpp"
#include "os/file/allocate.hpp"
#include "os/file/gather_cursor.hpp"
#include "os/retry.hpp"

namespace seriatim::os {
namespace {

// A write that takes nothing and gives no reason would be repeated for ever.
int errno_of_write(ssize_t result) noexcept { return result == 0 ? EIO : errno; }

}  // namespace

PosixFile::PosixFile(int descriptor, std::string path) noexcept
    : descriptor_(descriptor), path_(std::move(path)) {}

// An error of close(), a failed write-back, was reported by the sync that a caller who cares has called;
// and on Linux the descriptor is gone even then.
PosixFile::~PosixFile() { ::close(descriptor_); }

Result<std::size_t> PosixFile::read_at(base::MutableByteSpan into, std::uint64_t position) {
  std::size_t done = 0;
  while (done < into.size()) {
    const base::MutableByteSpan rest = into.subspan(done);
    const ssize_t result = retry_interrupted(
        [&] { return ::pread(descriptor_, rest.data(), rest.size(), static_cast<off_t>(position + done)); });
    if (result < 0) {
      const int saved = errno;
      return errno_error(saved, range_text("read", rest.size(), position + done), path_);
    }
    if (result == 0) break;
    done += static_cast<std::size_t>(result);
  }
  return done;
}

Result<void> PosixFile::write_at(base::ByteSpan from, std::uint64_t position) {
  while (!from.empty()) {
    const ssize_t result = retry_interrupted(
        [&] { return ::pwrite(descriptor_, from.data(), from.size(), static_cast<off_t>(position)); });
    if (result <= 0) {
      const int saved = errno_of_write(result);
      return errno_error(saved, range_text("write", from.size(), position), path_);
    }
    from = from.subspan(static_cast<std::size_t>(result));
    position += static_cast<std::uint64_t>(result);
  }
  return {};
}

Result<void> PosixFile::write_gather_at(std::span<const base::ByteSpan> pieces, std::uint64_t position) {
  std::array<iovec, IOV_MAX> vectors;
  GatherCursor cursor{pieces};
  while (const std::size_t count = cursor.fill<iovec>(vectors)) {
    const ssize_t result = retry_interrupted([&] {
      return ::pwritev(descriptor_, vectors.data(), static_cast<int>(count), static_cast<off_t>(position));
    });
    if (result <= 0) {
      const int saved = errno_of_write(result);
      return errno_error(
          saved, "write " + std::to_string(count) + " pieces at position " + std::to_string(position) + " of",
          path_);
    }
    cursor.advance(static_cast<std::size_t>(result));
    position += static_cast<std::uint64_t>(result);
  }
  return {};
}

Result<void> PosixFile::allocate(std::uint64_t position, std::uint64_t length) {
  constexpr auto size_max = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
  if (length == 0 || position > size_max || length > size_max - position) {
    return Error(Errc::invalid_argument, "cannot " + range_text("allocate", length, position) + " " + path_ +
                                             ": no such range exists. Give 1 byte or more below 2^63.");
  }
  const int result = retry_interrupted(
      [&] { return ::fallocate(descriptor_, 0, static_cast<off_t>(position), static_cast<off_t>(length)); });
  if (result == 0) return {};
  const int saved = errno;
  if (saved == EOPNOTSUPP || saved == ENOSYS) return fill_holes(descriptor_, position, length, path_);
  return errno_error(saved, range_text("allocate", length, position), path_);
}

Result<void> PosixFile::truncate(std::uint64_t size) {
  if (retry_interrupted([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); }) == 0) return {};
  const int saved = errno;
  return errno_error(saved, "set the length to " + std::to_string(size) + " bytes of", path_);
}

// An interrupted sync (possible on FUSE and NFS) has not reported a failed write, so it may be repeated; any
// other failure has, and must not be.
void PosixFile::begin_write_back(std::uint64_t position, std::uint64_t length) noexcept {
  // Its answer is not needed: the sync that comes looks at all of it.
  static_cast<void>(::sync_file_range(descriptor_, static_cast<off64_t>(position),
                                      static_cast<off64_t>(length), SYNC_FILE_RANGE_WRITE));
}

Result<void> PosixFile::sync_data() {
  if (retry_interrupted([&] { return ::fdatasync(descriptor_); }) == 0) return {};
  const int saved = errno;
  return sync_error(saved, path_);
}

Result<void> PosixFile::sync_all() {
  if (retry_interrupted([&] { return ::fsync(descriptor_); }) == 0) return {};
  const int saved = errno;
  return sync_error(saved, path_);
}

Result<std::uint64_t> PosixFile::size() {
  struct stat status {};
  if (::fstat(descriptor_, &status) == 0) return static_cast<std::uint64_t>(status.st_size);
  const int saved = errno;
  return errno_error(saved, "read the size of", path_);
}

Result<Mapping> PosixFile::map(std::uint64_t length, Access access) {
  return Mapping::of_descriptor(descriptor_, length, access, path_);
}

Result<void> PosixFile::drop_cache(std::uint64_t position, std::uint64_t length) {
  // Returns the error instead of setting errno.
  const int error = ::posix_fadvise(descriptor_, static_cast<off_t>(position), static_cast<off_t>(length),
                                    POSIX_FADV_DONTNEED);
  if (error == 0) return {};
  return errno_error(error, range_text("drop from the page cache", length, position), path_);
}

Result<FileId> PosixFile::id() {
  struct stat status {};
  if (::fstat(descriptor_, &status) == 0) return FileId{status.st_dev, status.st_ino};
  const int saved = errno;
  return errno_error(saved, "read the number of", path_);
}

Result<std::int64_t> PosixFile::modified_ms() {
  struct stat status {};
  if (::fstat(descriptor_, &status) == 0) {
    return static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1000 + status.st_mtim.tv_nsec / 1'000'000;
  }
  const int saved = errno;
  return errno_error(saved, "read the modification time of", path_);
}

Result<void> PosixFile::set_modified_ms(std::int64_t ms) {
  // Rounded down: tv_nsec is never negative.
  const std::int64_t remainder = ((ms % 1000) + 1000) % 1000;
  const timespec modified{(ms - remainder) / 1000, static_cast<long>(remainder * 1'000'000)};
  const timespec times[2] = {{0, UTIME_OMIT}, modified};
  if (::futimens(descriptor_, times) == 0) return {};
  const int saved = errno;
  return errno_error(saved, "set the modification time of", path_);
}

}  // namespace seriatim::os
