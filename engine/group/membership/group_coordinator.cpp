#include "group/membership/group_coordinator.hpp"

#include <utility>

#include "base/boundary.hpp"
#include "base/saturate.hpp"
#include "group/membership/membership.hpp"

namespace seriatim::group {
namespace {

std::int64_t now_ms(const base::Clock& clock) { return base::ms_of_ns(clock.monotonic_ns()); }

}  // namespace

CommitTicket& CommitTicket::operator=(CommitTicket&& other) noexcept {
  if (this == &other) return *this;
  end();
  group_ = std::move(other.group_);
  partitions_ = std::move(other.partitions_);
  return *this;
}

void CommitTicket::end() noexcept {
  if (!group_) return;
  const base::MutexLock lock(group_->mutex);
  group_->group.end_commit(partitions_);
  group_.reset();
}

Result<std::unique_ptr<Membership>> GroupCoordinator::join(std::string_view name, MemberSettings settings,
                                                           std::shared_ptr<MemberSignals> signals) {
  const std::uint64_t number = joined_.fetch_add(1, std::memory_order_relaxed) + 1;
  for (;;) {
    std::shared_ptr<LockedGroup> group;
    {
      const base::MutexLock lock(mutex_);
      auto& entry = groups_[std::string(name)];
      if (!entry) entry = std::make_shared<LockedGroup>(std::string(name));
      group_count_.store(groups_.size(), std::memory_order_release);
      group = entry;
    }
    const base::MutexLock lock(group->mutex);
    if (group->is_closed) continue;
    // Read within the lock: an older look would take back what the group was told since.
    group->group.resolve(environment_.topics());
    auto id = group->group.join(std::move(settings), signals, number, now_ms(environment_.clock));
    if (!id) return id.error();
    // A member that nobody holds would keep its partitions from the others.
    base::Undoing leave([&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS {
      group->group.remove(*id, Leaving::ends, now_ms(environment_.clock));
    });
    auto membership = std::make_unique<Membership>(*this, group, std::string(*id), std::move(signals));
    leave.keep();
    return membership;
  }
}

std::shared_ptr<LockedGroup> GroupCoordinator::find(std::string_view name) const {
  const base::MutexLock lock(mutex_);
  const auto found = groups_.find(name);
  return found == groups_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<LockedGroup>> GroupCoordinator::all() const {
  const base::MutexLock lock(mutex_);
  std::vector<std::shared_ptr<LockedGroup>> groups;
  groups.reserve(groups_.size());
  for (const auto& [name, group] : groups_) groups.push_back(group);
  return groups;
}

std::set<std::string> GroupCoordinator::names() const {
  const base::MutexLock lock(mutex_);
  std::set<std::string> names;
  for (const auto& [name, group] : groups_) names.insert(name);
  return names;
}

Result<> GroupCoordinator::check_empty(std::string_view name) const {
  std::size_t members = 0;
  look_at(name, [&](const Group& group) { members = group.members().size(); });
  if (members == 0) return {};
  return Error(Errc::non_empty_group, "group " + std::string(name) + " has " + std::to_string(members) +
                                          (members == 1 ? " member" : " members") +
                                          "; close its consumers first, or take the members away with "
                                          "Admin::remove_group_members");
}

Result<> GroupCoordinator::remove_members(std::string_view name, const std::vector<std::string>& member_ids) {
  const auto group = find(name);
  if (!group) return {};
  {
    const base::MutexLock lock(group->mutex);
    std::vector<std::string> ids = member_ids;
    for (const std::string& id : ids) {
      if (group->group.has(id)) continue;
      return Error(Errc::unknown_member_id, "group " + std::string(name) + " has no member " + id +
                                                "; Admin::describe_group has their ids");
    }
    if (ids.empty()) {
      for (const auto& [id, member] : group->group.members()) ids.push_back(id);
    }
    for (const std::string& id : ids) group->group.remove(id, Leaving::ends, now_ms(environment_.clock));
  }
  drop_if_empty(group);
  return {};
}

void GroupCoordinator::drop_if_empty(const std::shared_ptr<LockedGroup>& group) {
  const base::MutexLock lock(mutex_);
  const base::MutexLock group_lock(group->mutex);
  if (group->is_closed || !group->group.is_idle()) return;
  group->is_closed = true;
  groups_.erase(group->group.name());
  group_count_.store(groups_.size(), std::memory_order_release);
}

void GroupCoordinator::topics_changed() {
  if (!has_groups()) return;
  // The caller lets nobody else change them meanwhile.
  const auto topics = environment_.topics();
  for (const auto& group : all()) {
    const base::MutexLock lock(group->mutex);
    group->group.resolve(topics);
  }
}

void GroupCoordinator::wake_all() {
  for (const auto& group : all()) {
    const base::MutexLock lock(group->mutex);
    group->group.announce_all();
  }
}

void GroupCoordinator::expire() {
  if (!has_groups()) return;
  for (const auto& group : all()) {
    {
      const base::MutexLock lock(group->mutex);
      group->group.expire(now_ms(environment_.clock));
    }
    drop_if_empty(group);
  }
}

Result<CommitTicket> GroupCoordinator::admit_commit(const ConsumerGroupMetadata& by,
                                                    const TopicPartitionOffsets& offsets) {
  const bool is_of_member = !by.member_id.empty() || by.generation_id >= 0;
  if (!is_of_member && !has_groups()) return CommitTicket();
  const auto group = find(by.group_id);
  if (!group && !is_of_member) return CommitTicket();
  if (!group) {
    return Error(Errc::unknown_member_id,
                 "group " + by.group_id + " has no member \"" + by.member_id + "\" of generation " +
                     std::to_string(by.generation_id) +
                     "; take Consumer::group_metadata of the consumer whose positions these are");
  }
  std::vector<TopicPartition> partitions;
  partitions.reserve(offsets.size());
  for (const auto& [at, position] : offsets) partitions.push_back(at);
  const base::MutexLock lock(group->mutex);
  if (auto begun = group->group.begin_commit(by.member_id, by.generation_id, offsets); !begun)
    return begun.error();
  if (by.member_id.empty()) return CommitTicket();
  return CommitTicket(group, std::move(partitions));
}

}  // namespace seriatim::group
