#include "directory/files/directory_path.hpp"

#include "directory/files/format_file.hpp"
#include "os/absolute_path.hpp"
#include "os/path.hpp"

namespace seriatim::directory {

Result<std::string> existing_directory(os::Vfs& vfs, const std::filesystem::path& path) {
  auto absolute = os::absolute_path(path);
  if (!absolute) return absolute;
  const auto exists = vfs.exists(*absolute);
  if (!exists) return exists.error();
  if (!*exists) return Error(Errc::not_found, *absolute + " does not exist; correct the path");
  return absolute;
}

Result<std::string> existing_data_directory(os::Vfs& vfs, const std::filesystem::path& path) {
  auto found = existing_directory(vfs, path);
  if (!found) return found;
  auto has_catalog = vfs.exists(os::join_path(*found, "catalog"));
  if (!has_catalog) return has_catalog.error();
  auto has_format = vfs.exists(os::join_path(*found, format_file_name));
  if (!has_format) return has_format.error();
  if (*has_catalog || *has_format) return found;
  return Error(Errc::not_a_data_directory,
               *found + " has neither FORMAT nor a catalog: it is not a seriatim data directory");
}

}  // namespace seriatim::directory
