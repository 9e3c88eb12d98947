#include "work/program.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

namespace seriatim::cli {
namespace {

// 0, or the errno that says why it cannot be run.
int why_not_runnable(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return EACCES;
  return ::access(path.c_str(), X_OK) == 0 ? 0 : errno;
}

}  // namespace

Result<std::string> find_program(const std::string& name, const std::string& search_path) {
  if (name.empty()) {
    return Error(Errc::invalid_argument,
                 "the command to run is an empty word. Write its name or path behind --");
  }
  int reason = ENOENT;
  if (name.find('/') != std::string::npos) {
    reason = why_not_runnable(name);
    if (reason == 0) return name;
  } else {
    for (std::size_t from = 0; from <= search_path.size();) {
      const std::size_t end = std::min(search_path.find(':', from), search_path.size());
      const std::string folder = search_path.substr(from, end - from);
      std::string path = (folder.empty() ? "." : folder) + "/" + name;
      const int here = why_not_runnable(path);
      if (here == 0) return path;
      if (here == EACCES) reason = here;
      from = end + 1;
    }
  }
  return Error(Errc::not_found,
               "the command " + name + " cannot be run: " + std::generic_category().message(reason) +
                   ". Correct the first word behind --: the name of a program in $PATH, or a path",
               reason);
}

std::string program_search_path() {
  const char* const path = std::getenv("PATH");
  return path != nullptr ? std::string(path) : std::string("/bin:/usr/bin");
}

}  // namespace seriatim::cli
