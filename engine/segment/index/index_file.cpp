#include "segment/index/index_file.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/assert.hpp"

namespace seriatim::segment {
namespace {

// First a page, for the many small topics, then double what there is; at most 1 MiB ahead, which is what the
// log of a 1 GiB segment needs by its middle. Both are arbitrary.
constexpr std::uint64_t index_chunk_bytes_min = 4096;
constexpr std::uint64_t index_chunk_bytes_max = 1ULL << 20;

// Kafka's default of segment.index.bytes, and room.
constexpr std::uint64_t followed_bytes_min = 16ULL << 20;

constexpr std::uint64_t erase_window_bytes = 64 * 1024;  // arbitrary

// Other processes may have mapped the file and count what it held: it must not get shorter under them, where
// a touched page that is gone is SIGBUS. An entry of zeros is none that a batch confirms.
Result<> erase_from(os::File& file, std::uint64_t from, std::uint64_t end) {
  std::vector<std::byte> window(std::min(end - from, erase_window_bytes));
  for (std::uint64_t at = from; at < end;) {
    auto read = file.read_at(base::MutableByteSpan(window).first(std::min(end - at, window.size())), at);
    if (!read) return read.error();
    if (*read == 0) break;
    const auto bytes = base::MutableByteSpan(window).first(*read);
    if (std::any_of(bytes.begin(), bytes.end(), [](std::byte b) { return b != std::byte{0}; })) {
      std::fill(bytes.begin(), bytes.end(), std::byte{0});
      if (auto written = file.write_at(bytes, at); !written) return written;
    }
    at += *read;
  }
  return {};
}

Error wrong_length(const std::string& path, std::uint64_t bytes, const std::string& why) {
  return {Errc::corrupt_metadata, "the index " + path + " has " + std::to_string(bytes) + " bytes, " + why +
                                      ". Nothing is lost: it is rebuilt from its log by recovery, when the "
                                      "partition is opened."};
}

}  // namespace

Error missing_index(const std::string& path) {
  return {Errc::corrupt_metadata,
          "the index " + path +
              " is missing. Nothing is lost: `seriatim repair` makes it again from its "
              "log, and so does opening the directory for writing."};
}

Result<std::unique_ptr<IndexFile>> IndexFile::open_active(const SegmentContext& context,
                                                          const std::string& path, const IndexShape& shape,
                                                          std::uint64_t valid_entries) {
  std::unique_ptr<IndexFile> index(new IndexFile(context, path, shape.entry_bytes));
  if (auto opened = index->map_active(shape, valid_entries); !opened) return std::move(opened).error();
  return index;
}

Result<> IndexFile::map_active(const IndexShape& shape, std::uint64_t valid_entries) {
  mapped_writes_ = shape.mapped_writes;
  const std::uint64_t valid_bytes = valid_entries * entry_bytes_;
  // More than the limit where the limit was lowered since; the index is full then.
  limit_bytes_ = std::max(shape.limit_bytes / entry_bytes_ * entry_bytes_, valid_bytes);
  capacity_ = limit_bytes_ / entry_bytes_;
  auto file = context_.files.open(path_, os::OpenMode::open_or_create);
  if (!file) return std::move(file).error();
  auto size = (*file)->size();
  if (!size) return std::move(size).error();
  if (*size < valid_bytes) {
    return wrong_length(path_, *size, "fewer than the " + std::to_string(valid_bytes) + " known to be right");
  }
  if (*size > valid_bytes) {
    if (auto erased = erase_from(**file, valid_bytes, *size); !erased) return erased;
  }
  const auto access = mapped_writes_ ? os::Access::read_write : os::Access::read;
  auto map = (*file)->map(std::max<std::uint64_t>(limit_bytes_, 1), access);
  if (!map) return std::move(map).error();
  map_ = std::move(*map);
  allocated_bytes_ = valid_bytes;
  count_.store(valid_entries, std::memory_order_release);
  return {};
}

Result<std::unique_ptr<IndexFile>> IndexFile::open_sealed(const SegmentContext& context,
                                                          const std::string& path, std::size_t entry_bytes) {
  // Past the descriptor cache: the map needs no descriptor, and this one must not push others out.
  auto file = context.vfs.open(path, os::OpenMode::read);
  if (!file && file.error().code() == Errc::not_found) return missing_index(path);
  if (!file) return std::move(file).error();
  auto size = (*file)->size();
  if (!size) return std::move(size).error();
  if (*size % entry_bytes != 0) {
    return wrong_length(path, *size, "no multiple of its entries' " + std::to_string(entry_bytes));
  }
  std::unique_ptr<IndexFile> index(new IndexFile(context, path, entry_bytes));
  if (*size > 0) {
    auto map = (*file)->map(*size, os::Access::read);
    if (!map) return std::move(map).error();
    index->map_ = std::move(*map);
  }
  index->limit_bytes_ = *size;
  index->capacity_ = *size / entry_bytes;
  index->allocated_bytes_ = *size;
  index->count_.store(index->capacity_, std::memory_order_release);
  return index;
}

Result<std::unique_ptr<IndexFile>> IndexFile::open_followed(const SegmentContext& context, os::File& file,
                                                            std::size_t entry_bytes, std::uint64_t entries) {
  std::unique_ptr<IndexFile> index(new IndexFile(context, file.path(), entry_bytes));
  // Address space only. Entries that are there already fit, whatever limit they were written under.
  const std::uint64_t bytes = std::max(followed_bytes_min, entries * entry_bytes);
  auto map = file.map(bytes, os::Access::read);
  if (!map) return std::move(map).error();
  index->map_ = std::move(*map);
  index->limit_bytes_ = bytes;
  index->capacity_ = bytes / entry_bytes;
  index->follow_to(entries);
  return index;
}

Result<> IndexFile::stage(const std::byte* entry) {
  SERIATIM_ASSERT(!is_full());
  const std::uint64_t at = size_bytes();
  if (!mapped_writes_) {
    auto file = context_.files.open(path_, os::OpenMode::read_write);
    if (!file) return std::move(file).error();
    return (*file)->write_at({entry, entry_bytes_}, at);
  }
  if (auto made = make_room(); !made) return made;
  std::memcpy(map_.data() + at, entry, entry_bytes_);
  return {};
}

Result<> IndexFile::make_room() {
  const std::uint64_t needed = size_bytes() + entry_bytes_;
  if (!mapped_writes_ || needed <= allocated_bytes_) return {};
  return extend(needed);
}

Result<> IndexFile::extend(std::uint64_t needed_bytes) {
  auto file = context_.files.open(path_, os::OpenMode::read_write);
  if (!file) return std::move(file).error();
  const std::uint64_t chunk = std::clamp(allocated_bytes_, index_chunk_bytes_min, index_chunk_bytes_max);
  const std::uint64_t wanted = std::min(
      std::max(base::align_up(allocated_bytes_ + chunk, index_chunk_bytes_min), needed_bytes), limit_bytes_);
  auto extended = (*file)->allocate(allocated_bytes_, wanted - allocated_bytes_);
  if (extended) {
    allocated_bytes_ = wanted;
    return {};
  }
  if (extended.error().code() != Errc::storage_full || wanted == needed_bytes) return extended;
  // Not the disk's last blocks for entries to come, but this one entry may still fit.
  if (auto fitted = (*file)->allocate(allocated_bytes_, needed_bytes - allocated_bytes_); !fitted)
    return fitted;
  allocated_bytes_ = needed_bytes;
  return {};
}

Result<> IndexFile::trim(std::uint64_t staged) {
  const std::uint64_t exact = size_bytes() + staged * entry_bytes_;
  auto file = context_.files.open(path_, os::OpenMode::read_write);
  if (!file) return std::move(file).error();
  if (auto cut = (*file)->truncate(exact); !cut) return cut;
  allocated_bytes_ = exact;
  return {};
}

Result<> IndexFile::protect() { return map_.protect_read_only(); }

}  // namespace seriatim::segment
