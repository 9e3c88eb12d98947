// The state of a group as a process can know it that has no members itself.
#pragma once

#include <filesystem>
#include <string>

namespace seriatim::cli {

struct GroupState {
  std::string word{};    ///< "empty", "unknown".
  std::string reason{};  ///< A sentence for people.
};

/// Members live in the process that writes: where there is none, there are none.
GroupState state_of_group(const std::filesystem::path& directory);

}  // namespace seriatim::cli
