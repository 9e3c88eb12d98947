#include "directory/facts/storable.hpp"

#include <string>
#include <utility>

#include "base/bytes.hpp"

namespace seriatim::directory {
namespace {

Error left_out(const std::string& whose, const Error& why) {
  return why.with_context(whose + " cannot be stored and is left out of the checkpoint");
}

}  // namespace

std::vector<Error> leave_out_unstorable(catalog::Checkpoint& gathered) {
  std::vector<Error> refused;
  std::erase_if(gathered.forgotten_groups, [&](const std::string& group) {
    const auto named = catalog::check_group_name(group);
    if (!named) refused.push_back(left_out("the end of group \"" + group + "\"", named.error()));
    return !named;
  });
  for (auto& [group, commits] : gathered.offsets) {
    const std::string whose = "a position of group \"" + group + "\"";
    const auto named = catalog::check_group_name(group);
    std::erase_if(commits, [&](const catalog::OffsetCommit& commit) {
      const auto checked =
          named ? catalog::check_offset_commit(commit.topic_partition, commit.committed) : named;
      if (!checked) refused.push_back(left_out(whose, checked.error()));
      return !checked;
    });
  }
  std::erase_if(gathered.offsets, [](const auto& of_group) { return of_group.second.empty(); });
  std::erase_if(gathered.transactional_ids, [&](const auto& id) {
    auto checked = catalog::check_transactional_id(id.first, id.second);
    if (!checked) refused.push_back(left_out("transactional id \"" + id.first + "\"", checked.error()));
    return !checked;
  });
  std::erase_if(gathered.state, [&](const catalog::StateChange& change) {
    auto checked = catalog::check_state_change(change);
    if (!checked) refused.push_back(left_out("a key of state \"" + change.name + "\"", checked.error()));
    return !checked;
  });
  return refused;
}

}  // namespace seriatim::directory
