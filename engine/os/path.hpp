// Paths as text: the two operations everybody needs.
#pragma once

#include <string>
#include <string_view>

namespace seriatim::os {

/// `directory` + "/" + `name`, without doubling a slash.
inline std::string join_path(std::string_view directory, std::string_view name) {
  std::string path;
  path.reserve(directory.size() + 1 + name.size());
  path.append(directory);
  if (!path.empty() && path.back() != '/') path.push_back('/');
  path.append(name);
  return path;
}

/// The directory that holds `path`: "a/b" gives "a", "a" gives ".", "/a" gives "/". Trailing slashes do not
/// count.
inline std::string parent_path(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

}  // namespace seriatim::os
