// One member's part in its group.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "group/membership/group_coordinator.hpp"

namespace seriatim::group {

/// Threads: one at a time, but for `metadata`.
class Membership {
 public:
  Membership(GroupCoordinator& coordinator, std::shared_ptr<LockedGroup> group, std::string member_id,
             std::shared_ptr<MemberSignals> signals)
      : coordinator_(coordinator),
        group_(std::move(group)),
        member_id_(std::move(member_id)),
        signals_(std::move(signals)) {}
  ~Membership() { leave(Leaving::ends); }
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  const std::string& member_id() const noexcept { return member_id_; }
  MemberSignals& signals() noexcept { return *signals_; }

  /// The next step towards the target, which is computed first if it is not known.
  /// Errors: unknown_member_id: it was removed · invalid_argument: an assignor of the application's own gave
  /// an assignment that cannot be; the one before stays.
  /// Cost: with the lock of the group, in proportion to the member's partitions; the assignor runs without.
  Result<Step> step();
  void release(const std::vector<TopicPartition>& partitions);
  /// Whether it was not removed.
  bool is_member() const;
  void leave(Leaving leaving);

 private:
  Result<> compute_target();

  GroupCoordinator& coordinator_;
  const std::shared_ptr<LockedGroup> group_;
  const std::string member_id_;
  const std::shared_ptr<MemberSignals> signals_;
  bool has_left_ = false;
};

}  // namespace seriatim::group
