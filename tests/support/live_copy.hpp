// A copy of the directory of an engine that is open: what its process would leave if it died now.
#pragma once

#include <filesystem>
#include <system_error>

namespace seriatim::test {

/// Replaces `to`. While it is made, the engine's own thread may give a file its name or remove one (the next
/// journal file becomes ready); then it is made again, for a death is at one moment.
inline void copy_live(const std::filesystem::path& from, const std::filesystem::path& to) {
  constexpr int attempts_max = 10;
  for (int attempt = 1;; ++attempt) {
    std::filesystem::remove_all(to);
    std::error_code error;
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive, error);
    if (!error) return;
    if (error != std::errc::no_such_file_or_directory || attempt == attempts_max)
      throw std::filesystem::filesystem_error("copying a live directory", from, to, error);
  }
}

}  // namespace seriatim::test
