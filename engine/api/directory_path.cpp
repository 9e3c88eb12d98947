#include "api/directory_path.hpp"

#include "os/absolute_path.hpp"

namespace seriatim::api {

Result<std::string> existing_directory(os::Vfs& vfs, const std::filesystem::path& path) {
  auto absolute = os::absolute_path(path);
  if (!absolute) return absolute;
  const auto exists = vfs.exists(*absolute);
  if (!exists) return exists.error();
  if (!*exists) return Error(Errc::not_found, *absolute + " does not exist; correct the path");
  return absolute;
}

}  // namespace seriatim::api
