#include "os/mapping.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "os/errno_error.hpp"
#include "os/map_budget.hpp"
#include "os/retry.hpp"

namespace seriatim::os {
namespace {

std::uint64_t page_bytes() noexcept {
  static const auto bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

// The range that madvise and msync want: a start on a page boundary. Both round the end up themselves.
struct PageRange {
  std::byte* start;
  std::size_t bytes;
};

PageRange whole_pages(std::byte* data, std::uint64_t position, std::uint64_t length) noexcept {
  const std::uint64_t begin = position & ~(page_bytes() - 1);
  return {data + begin, static_cast<std::size_t>(position - begin + length)};
}

}  // namespace

Error too_many_maps_error(std::uint64_t length, std::string_view path) {
  const MapBudget& budget = MapBudget::of_process();
  return {Errc::out_of_memory,
          "cannot map " + std::to_string(length) + " bytes of " + std::string(path) +
              ": too many maps, or no address space is left (errno " + std::to_string(ENOMEM) +
              "). vm.max_map_count is " + std::to_string(maps_max()) + ", of which the engine uses at most " +
              std::to_string(budget.limit()) + " and has " + std::to_string(budget.taken()) +
              "; every partition that is appended to takes three. Raise it (sysctl -w vm.max_map_count=N) or "
              "the address space (ulimit -v), or use fewer partitions in one process; what is open goes on.",
          ENOMEM};
}

Mapping::Mapping(std::byte* data, std::uint64_t size, Access access, std::string path) noexcept
    : data_(data), size_(size), access_(access), path_(std::move(path)) {}

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      access_(other.access_),
      path_(std::move(other.path_)),
      observer_(std::move(other.observer_)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this == &other) return *this;
  unmap();
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  access_ = other.access_;
  path_ = std::move(other.path_);
  observer_ = std::move(other.observer_);
  return *this;
}

Mapping::~Mapping() { unmap(); }

void Mapping::unmap() noexcept {
  if (data_ == nullptr) return;
  // Only a wrong address or length can fail here.
  SERIATIM_ASSERT(::munmap(data_, size_) == 0);
  MapBudget::of_process().give_back();
  data_ = nullptr;
  size_ = 0;
}

Result<Mapping> Mapping::of_descriptor(int descriptor, std::uint64_t length, Access access,
                                       std::string path) {
  if (length == 0 || length > std::numeric_limits<std::size_t>::max() / 2) {
    return Error(Errc::invalid_argument,
                 "cannot map " + std::to_string(length) + " bytes of " + path +
                     ": a mapping has 1 byte or more. Map what the file is meant to hold.");
  }
  MapBudget& budget = MapBudget::of_process();
  if (!budget.take()) return too_many_maps_error(length, path);
  const int protection = access == Access::read ? PROT_READ : PROT_READ | PROT_WRITE;
  void* data = ::mmap(nullptr, length, protection, MAP_SHARED, descriptor, 0);
  if (data == MAP_FAILED) {
    const int saved = errno;
    budget.give_back();
    if (saved == ENOMEM) return too_many_maps_error(length, path);
    return errno_error(saved, "map " + std::to_string(length) + " bytes of", path);
  }
  return Mapping(static_cast<std::byte*>(data), length, access, std::move(path));
}

Result<void> Mapping::check_range(const char* what, std::uint64_t position, std::uint64_t length) const {
  if (position <= size_ && length <= size_ - position) return {};
  return Error(Errc::invalid_argument, "cannot " + range_text(what, length, position) + " " + path_ +
                                           ": its mapping has " + std::to_string(size_) +
                                           " bytes. Map more of it.");
}

Result<void> Mapping::populate(std::uint64_t position, std::uint64_t length) {
  if (auto checked = check_range("populate", position, length); !checked) return checked;
  if (length == 0) return {};
  if (observer_) {
    if (auto allowed = observer_->before_populate(position, length); !allowed) return allowed;
  }
  const PageRange range = whole_pages(data_, position, length);
  const int advice = access_ == Access::read ? MADV_POPULATE_READ : MADV_POPULATE_WRITE;
  if (retry_interrupted([&] { return ::madvise(range.start, range.bytes, advice); }) == 0) return {};
  const int saved = errno;
  if (saved == EINVAL) return {};  // the kernel does not know the advice
  if (saved != EFAULT) return errno_error(saved, range_text("populate", length, position), path_);
  return Error(Errc::io_error,
               "cannot " + range_text("populate", length, position) + " " + path_ +
                   ": a page cannot be had (errno 14): beyond the end of the file, or the disk is full or "
                   "failing. Check "
                   "free space and the kernel's log (dmesg).",
               saved);
}

Result<void> Mapping::store(std::span<const base::ByteSpan> pieces, std::uint64_t position) {
  std::uint64_t length = 0;
  for (const base::ByteSpan& piece : pieces) length += piece.size();
  if (auto checked = check_range("store", position, length); !checked) return checked;
  if (observer_) {
    if (auto allowed = observer_->before_store(position); !allowed) return allowed;
  }
  std::byte* to = data_ + position;
  for (const base::ByteSpan& piece : pieces) to = std::copy(piece.begin(), piece.end(), to);
  return {};
}

Result<void> Mapping::protect_read_only() {
  if (data_ == nullptr) return {};
  if (::mprotect(data_, size_, PROT_READ) != 0) {
    const int saved = errno;
    return errno_error(saved, "make read-only the mapping of", path_);
  }
  access_ = Access::read;
  return {};
}

// The mapping is shared: what the kernel is told it need not keep is only how to get there.
void Mapping::release_pages(std::uint64_t position, std::uint64_t length) const noexcept {
  if (position >= size_) return;
  const PageRange range = whole_pages(data_, position, std::min(length, size_ - position));
  static_cast<void>(::madvise(range.start, range.bytes, MADV_DONTNEED));
}

Result<void> Mapping::sync(std::uint64_t position, std::uint64_t length) {
  if (auto checked = check_range("sync", position, length); !checked) return checked;
  if (length == 0) return {};
  if (observer_) {
    if (auto allowed = observer_->before_sync(position, length); !allowed) return allowed;
  }
  const PageRange range = whole_pages(data_, position, length);
  if (retry_interrupted([&] { return ::msync(range.start, range.bytes, MS_SYNC); }) == 0) return {};
  const int saved = errno;
  return sync_error(saved, path_);
}

void Mapping::observe(std::shared_ptr<MappingObserver> observer) noexcept { observer_ = std::move(observer); }

}  // namespace seriatim::os
