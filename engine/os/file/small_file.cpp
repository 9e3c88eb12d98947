#include "os/file/small_file.hpp"

#include "os/path.hpp"

namespace seriatim::os {

Result<std::vector<std::byte>> read_small_file(Vfs& vfs, const std::string& path, std::size_t bytes_max) {
  auto file = vfs.open(path, OpenMode::read);
  if (!file) return std::move(file).error();
  const auto size = (*file)->size();
  if (!size) return size.error();
  if (*size > bytes_max) {
    return Error(Errc::corrupt_metadata,
                 "cannot read " + path + ": it has " + std::to_string(*size) + " bytes, but at most " +
                     std::to_string(bytes_max) +
                     " can be right. Something else wrote it; restore it from a backup.");
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(*size));
  const auto read = (*file)->read_at(bytes, 0);
  if (!read) return read.error();
  bytes.resize(*read);
  return bytes;
}

Result<void> replace_small_file(Vfs& vfs, const std::string& path, base::ByteSpan bytes) {
  const std::string temporary = path + ".tmp";
  auto file = vfs.open(temporary, OpenMode::open_or_create);
  if (!file) return std::move(file).error();
  if (auto cut = (*file)->truncate(0); !cut) return cut;
  if (auto written = (*file)->write_at(bytes, 0); !written) return written;
  // Before the rename, or a power cut could leave the name on a file without its bytes.
  if (auto synced = (*file)->sync_data(); !synced) return synced;
  if (auto renamed = vfs.rename(temporary, path); !renamed) return renamed;
  return vfs.sync_directory(parent_path(path));
}

}  // namespace seriatim::os
