// `writer_of`: the process that has a data directory open for writing, seen from outside.
#include <cstdint>
#include <optional>

#include <seriatim/exception.hpp>
#include <seriatim/inspect.hpp>

#include "directory/files/format_file.hpp"
#include "os/absolute_path.hpp"
#include "os/file/posix_vfs.hpp"
#include "os/lock/dir_lock.hpp"
#include "os/path.hpp"

namespace seriatim {
inline namespace v0 {

Result<std::optional<WriterInfo>> writer_of(const std::filesystem::path& dir) try {
  auto& vfs = os::posix_vfs();
  const auto path = os::absolute_path(dir);
  if (!path) return path.error();
  auto has_format = vfs.exists(os::join_path(*path, directory::format_file_name));
  if (!has_format) return has_format.error();
  if (!*has_format) {
    return Error(Errc::not_a_data_directory,
                 *path + " has no FORMAT file: it is not a seriatim data directory");
  }
  auto info = os::read_lock_info(vfs, *path);
  if (!info) return info.error();
  if (!*info || !(*info)->is_held) return std::optional<WriterInfo>();
  return std::optional<WriterInfo>(WriterInfo{
      .pid = static_cast<std::int32_t>((*info)->pid), .program = (*info)->program, .since = (*info)->since});
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim
