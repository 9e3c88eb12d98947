// A consumer's way from one assignment of its group to the next, with the application told of each step.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/consumer.hpp>
#include <seriatim/result.hpp>

#include "consumer/group/single_thread.hpp"
#include "group/membership/membership.hpp"

namespace seriatim::consumer {

/// The consumer that has the partitions.
class AssignmentHolder {
 public:
  virtual ~AssignmentHolder() = default;
  virtual std::vector<TopicPartition> held() const = 0;
  /// Partitions of topics that are gone are left out.
  /// Errors: one of those of opening a partition; the others are held.
  virtual Result<> hold(const std::vector<TopicPartition>& partitions) = 0;
  /// Commits the positions, if the application wants that to happen by itself.
  virtual Result<> commit_by_itself() = 0;
};

/// Threads: one at a time, but for `metadata`.
class GroupSubscription {
 public:
  /// The parts around it; they outlive it.
  struct Environment {
    group::GroupCoordinator& coordinator;
    AssignmentHolder& holder;
    SingleThread& thread;
  };
  GroupSubscription(Environment environment, std::string group_id, group::MemberSettings settings,
                    RebalanceListener listener, std::shared_ptr<group::MemberSignals> signals)
      : environment_(environment),
        settings_(std::move(settings)),
        listener_(std::move(listener)),
        signals_(std::move(signals)),
        metadata_{.group_id = std::move(group_id)} {}

  /// Errors: as GroupCoordinator::join.
  Result<> join();
  bool has_news() const noexcept { return signals_->has_news(); }
  /// Something is wrong with the assignment: the next poll looks.
  void look_again() noexcept { signals_->announce(); }
  group::MemberSignals& signals() noexcept { return *signals_; }

  /// Goes towards the target of the group as far as it can now.
  /// Errors: of the assignor, of listeners and of automatic commits; it can be called again.
  Result<> reconcile();
  /// Commits if that is wanted, tells that everything is revoked, and leaves.
  /// Errors: of the commit or the listener; it has left all the same.
  Result<> leave(group::Leaving leaving);
  /// In a forked child: the member is the parent's, and its locks may be held by threads that are not here.
  void forsake() noexcept { static_cast<void>(membership_.release()); }
  /// Behind a reconciliation without a fault: whether an earlier one left something out, to be looked at by
  /// the next poll.
  void note_poll() noexcept {
    if (std::exchange(tries_again_, false)) signals_->announce();
  }
  /// The group and member that commit.
  /// Threads: any.
  ConsumerGroupMetadata metadata() const;
  /// The same, for the thread inside.
  const ConsumerGroupMetadata& committer() const noexcept { return metadata_; }

 private:
  Result<> go(const group::Step& step);
  Result<> give_up(const std::vector<TopicPartition>& partitions);
  Result<> rejoin();
  Result<> tell(const RebalanceListener::Function& function, const std::vector<TopicPartition>& partitions);

  const Environment environment_;
  const group::MemberSettings settings_;
  const RebalanceListener listener_;
  const std::shared_ptr<group::MemberSignals> signals_;
  std::unique_ptr<group::Membership> membership_{};
  bool tries_again_ = false;
  mutable base::Mutex metadata_mutex_;
  // Written under the mutex by the thread inside, which reads it without.
  ConsumerGroupMetadata metadata_;
};

}  // namespace seriatim::consumer
