// `Admin`: the members of consumer groups.
#include <algorithm>
#include <set>
#include <utility>

#include <seriatim/admin.hpp>
#include <seriatim/exception.hpp>

#include "base/moved_from.hpp"
#include "directory/engine_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

GroupState state_of(const group::Group& group) {
  if (group.members().empty()) return GroupState::empty;
  if (group.epoch() != group.target_epoch()) return GroupState::assigning;
  const bool is_stable = std::all_of(group.members().begin(), group.members().end(), [&](const auto& entry) {
    return entry.second.target == group.owners().of(entry.first);
  });
  return is_stable ? GroupState::stable : GroupState::reconciling;
}

GroupDescription description_of(const group::Group& group) {
  GroupDescription description{.group_id = group.name(),
                               .state = state_of(group),
                               .epoch = group.epoch(),
                               .target_epoch = group.target_epoch()};
  for (const auto& [id, member] : group.members()) {
    const auto& owned = group.owners().of(id);
    description.members.push_back({.member_id = id,
                                   .group_instance_id = member.settings.group_instance_id,
                                   .topics = member.topics,
                                   .assignment = {owned.begin(), owned.end()},
                                   .target = {member.target.begin(), member.target.end()},
                                   .epoch = member.epoch,
                                   .is_away = member.away_since_ms.has_value()});
  }
  return description;
}

Error unknown_group(std::string_view group) {
  return {Errc::group_id_not_found, "there is no group " + std::string(group) +
                                        ": none of this name has members here or committed offsets; "
                                        "Admin::list_groups has the names"};
}

}  // namespace

Result<std::vector<std::string>> Admin::list_groups() const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto usable = engine_->check_usable(); !usable) return usable.error();
  auto stored = engine_->committed_offsets.groups();
  if (!stored) return stored;
  std::set<std::string> names(stored->begin(), stored->end());
  names.merge(engine_->groups.names());
  return std::vector<std::string>(names.begin(), names.end());
} catch (...) {
  return current_error();
}

Result<GroupDescription> Admin::describe_group(std::string_view group) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto usable = engine_->check_usable(); !usable) return usable.error();
  GroupDescription description{.group_id = std::string(group)};
  const auto describe = [&](const group::Group& found) { description = description_of(found); };
  if (engine_->groups.look_at(group, describe)) return description;
  auto offsets = engine_->committed_offsets.of_group(group);
  if (!offsets) return offsets.error();
  if (offsets->empty()) return unknown_group(group);
  return description;
} catch (...) {
  return current_error();
}

Result<> Admin::remove_group_members(std::string_view group, const std::vector<std::string>& member_ids) const
    try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  if (auto known = describe_group(group); !known) return known.error();
  return engine_->groups.remove_members(group, member_ids);
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim
