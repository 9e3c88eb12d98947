// The groups of an engine that have members. Nothing of it is stored: a member does not outlive its process.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "group/membership/group.hpp"
#include "group/membership/group_settings.hpp"

namespace seriatim::group {

/// The parts of the engine around them. All of them outlive the coordinator.
struct CoordinatorEnvironment {
  const base::Clock& clock;
  std::function<TopicCounts()> topics{};  ///< As of now.
};

/// A group with the lock that guards it.
struct LockedGroup {
  explicit LockedGroup(std::string name) : group(std::move(name)) {}
  base::Mutex mutex;
  Group group SERIATIM_GUARDED_BY(mutex);
  bool is_closed SERIATIM_GUARDED_BY(mutex) = false;  ///< The last member left; the name may be another's.
};

class Membership;

/// Lets nobody else have the partitions of a commit until its frame is staged, or its transaction decided: a
/// later owner's commit is always behind it.
class CommitTicket {
 public:
  CommitTicket() noexcept = default;
  CommitTicket(std::shared_ptr<LockedGroup> group, std::vector<TopicPartition> partitions)
      : group_(std::move(group)), partitions_(std::move(partitions)) {}
  CommitTicket(CommitTicket&&) noexcept = default;
  CommitTicket& operator=(CommitTicket&& other) noexcept;
  ~CommitTicket() { end(); }

 private:
  void end() noexcept;

  std::shared_ptr<LockedGroup> group_{};
  std::vector<TopicPartition> partitions_{};
};

/// Threads: any.
class GroupCoordinator {
 public:
  explicit GroupCoordinator(CoordinatorEnvironment environment) : environment_(std::move(environment)) {}

  /// A new member of the group, which is made if need be. It leaves with the object.
  /// Errors: unreleased_instance_id.
  Result<std::unique_ptr<Membership>> join(std::string_view group, MemberSettings settings,
                                           std::shared_ptr<MemberSignals> signals);
  /// Topics or partitions came or went.
  void topics_changed();
  /// Every member looks what there is: the engine is being closed.
  void wake_all();
  /// Removes members that are overdue. Takes no lock that is held over a wait for the disk.
  void expire();
  bool has_groups() const noexcept { return group_count_.load(std::memory_order_acquire) != 0; }

  /// May these positions be committed by this member? To be held until they are staged.
  /// Errors: unknown_member_id.
  /// Cost: an atomic load while no group has members.
  Result<CommitTicket> admit_commit(const ConsumerGroupMetadata& by, const TopicPartitionOffsets& offsets);

  /// Errors: non_empty_group.
  Result<> check_empty(std::string_view group) const;
  /// @param member_ids  empty: of all.
  /// Errors: unknown_member_id: nobody is removed then.
  Result<> remove_members(std::string_view group, const std::vector<std::string>& member_ids);

  /// Calls `look` with the group locked, if it has members.
  template <class Look>
  bool look_at(std::string_view name, const Look& look) const {
    const auto found = find(name);
    if (!found) return false;
    const base::MutexLock lock(found->mutex);
    if (found->is_closed) return false;
    look(static_cast<const Group&>(found->group));
    return true;
  }
  /// Of groups with members.
  std::set<std::string> names() const;

 private:
  friend class Membership;
  std::shared_ptr<LockedGroup> find(std::string_view name) const;
  std::vector<std::shared_ptr<LockedGroup>> all() const;
  /// Forgets the group if it has no members.
  void drop_if_empty(const std::shared_ptr<LockedGroup>& group);

  const CoordinatorEnvironment environment_;
  mutable base::Mutex mutex_;
  std::map<std::string, std::shared_ptr<LockedGroup>, std::less<>> groups_ SERIATIM_GUARDED_BY(mutex_);
  std::atomic<std::size_t> group_count_{0};
  std::atomic<std::uint64_t> joined_{0};  ///< Members so far.
};

}  // namespace seriatim::group
