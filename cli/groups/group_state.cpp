#include "groups/group_state.hpp"

#include <optional>

#include <seriatim/inspect.hpp>

namespace seriatim::cli {

GroupState state_of_group(const std::filesystem::path& directory) {
  const Result<std::optional<WriterInfo>> writer = writer_of(directory);
  if (!writer.ok()) return {"unknown", "it cannot be told who writes: " + writer.error().message()};
  if (!*writer) return {"empty", "nobody has the directory open, so it has no member"};
  return {"unknown", "members live in the process that has the directory, " + (*writer)->program + " (pid " +
                         std::to_string((*writer)->pid) + "), and only there can be asked for"};
}

}  // namespace seriatim::cli
