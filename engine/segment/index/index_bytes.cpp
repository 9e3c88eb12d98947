#include "segment/index/index_bytes.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace seriatim::segment {
namespace {

// The file, or null if there is none. Past the descriptor cache: it is read once, and may be replaced by a
// rebuilt one.
Result<std::unique_ptr<os::File>> open_index(const SegmentContext& context, const std::string& path) {
  auto file = context.vfs.open(path, os::OpenMode::read);
  if (!file && file.error().code() == Errc::not_found) return std::unique_ptr<os::File>();
  return file;
}

}  // namespace

Result<IndexBytes> read_index_front(const SegmentContext& context, const std::string& path,
                                    std::size_t entry_bytes, std::uint64_t entries_max) {
  auto file = open_index(context, path);
  if (!file) return std::move(file).error();
  if (*file == nullptr) return IndexBytes{};
  auto size = (*file)->size();
  if (!size) return std::move(size).error();
  IndexBytes index{.exists = true, .file_bytes = *size};
  index.bytes.resize(std::min(*size / entry_bytes, entries_max) * entry_bytes);
  auto read = (*file)->read_at(index.bytes, 0);
  if (!read) return std::move(read).error();
  index.bytes.resize(*read / entry_bytes * entry_bytes);
  return index;
}

Result<IndexBytes> read_index_end(const SegmentContext& context, const std::string& path,
                                  std::size_t entry_bytes) {
  auto file = open_index(context, path);
  if (!file) return std::move(file).error();
  if (*file == nullptr) return IndexBytes{};
  auto size = (*file)->size();
  if (!size) return std::move(size).error();
  IndexBytes index{.exists = *size % entry_bytes == 0, .file_bytes = *size};
  if (!index.exists || *size == 0) return index;
  index.bytes.resize(entry_bytes);
  auto read = (*file)->read_at(index.bytes, *size - entry_bytes);
  if (!read) return std::move(read).error();
  index.exists = *read == entry_bytes;
  return index;
}

}  // namespace seriatim::segment
