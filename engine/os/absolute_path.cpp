#include "os/absolute_path.hpp"

#include <string_view>
#include <system_error>

#include "os/errno_error.hpp"

namespace seriatim::os {

Result<std::string> absolute_path(const std::filesystem::path& path) {
  if (path.empty())
    return Error(Errc::invalid_argument, "the data directory's path is empty; name a directory");
  std::error_code failure;
  std::string text = std::filesystem::absolute(path, failure).string();
  if (failure) return errno_error(failure.value(), "tell the working directory for the path", path.string());
  // "data/." would make "data" its own parent.
  for (;;) {
    const bool is_undone = text.size() > 1 && (text.back() == '/' || text.ends_with("/."));
    if (!is_undone) return text;
    text.pop_back();
  }
}

}  // namespace seriatim::os
