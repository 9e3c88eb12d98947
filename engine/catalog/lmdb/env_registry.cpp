#include "catalog/lmdb/env_registry.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "base/mutex.hpp"

namespace seriatim::catalog {
namespace {

struct OpenDirectory {
  std::uint64_t number = 0;
  std::uint64_t process = 0;
  std::string directory{};
};

// The one piece of process-wide state of this layer, because the rule it holds is about the process.
struct Registry {
  base::Mutex mutex;
  std::vector<OpenDirectory> open SERIATIM_GUARDED_BY(mutex);
  std::uint64_t last_number SERIATIM_GUARDED_BY(mutex) = 0;
};

Registry& registry() {
  // Never destroyed: a catalog in a static object of the application may be closed after ours are gone.
  static Registry* const instance = new Registry;
  return *instance;
}

bool is_same_directory(const std::string& a, const std::string& b) {
  if (a == b) return true;
  std::error_code missing;
  return std::filesystem::equivalent(a, b, missing);
}

}  // namespace

Result<OpenClaim> OpenClaim::acquire(const std::string& directory, std::uint64_t process) {
  Registry& all = registry();
  base::MutexLock lock(all.mutex);
  for (const OpenDirectory& held : all.open) {
    if (held.process == process && is_same_directory(held.directory, directory)) {
      return Error(Errc::invalid_state, "the catalog " + directory + " is already open in this process (as " +
                                            held.directory + "); use that engine, or close it first");
    }
  }
  const std::uint64_t number = ++all.last_number;
  all.open.push_back({number, process, directory});
  return OpenClaim(number);
}

OpenClaim::~OpenClaim() {
  if (number_ == 0) return;
  Registry& all = registry();
  base::MutexLock lock(all.mutex);
  all.open.erase(std::remove_if(all.open.begin(), all.open.end(),
                                [this](const OpenDirectory& held) { return held.number == number_; }),
                 all.open.end());
}

}  // namespace seriatim::catalog
