#include "consumer/group/group_subscription.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/boundary.hpp"

namespace seriatim::consumer {
namespace {

std::vector<TopicPartition> without(const std::vector<TopicPartition>& all,
                                    const std::vector<TopicPartition>& taken_away) {
  std::vector<TopicPartition> rest;
  std::set_difference(all.begin(), all.end(), taken_away.begin(), taken_away.end(), std::back_inserter(rest));
  return rest;
}

// The first failure is told; what follows it is done all the same.
void note(Result<>& outcome, Result<> next) {
  if (outcome && !next) outcome = std::move(next);
}

}  // namespace

Result<> GroupSubscription::join() {
  auto joined = environment_.coordinator.join(metadata_.group_id, settings_, signals_);
  if (!joined) return joined.error();
  membership_ = *std::move(joined);
  signals_->announce();
  const base::MutexLock lock(metadata_mutex_);
  metadata_.member_id = membership_->member_id();
  metadata_.generation_id = -1;
  return {};
}

ConsumerGroupMetadata GroupSubscription::metadata() const {
  const base::MutexLock lock(metadata_mutex_);
  return metadata_;
}

Result<> GroupSubscription::tell(const RebalanceListener::Function& function,
                                 const std::vector<TopicPartition>& partitions) {
  if (!function) return {};
  const SingleThread::Listening listening(environment_.thread);
  auto told = base::answered([&]() -> Result<> {
    function(partitions);
    return {};
  });
  if (told) return told;
  return told.error().with_context("the rebalance listener of group " + metadata_.group_id +
                                   " has thrown; the change of the assignment stands");
}

Result<> GroupSubscription::reconcile() {
  Result<> outcome;
  while (signals_->has_news()) {
    signals_->take_news();
    base::Undoing look_again([this] { signals_->announce(); });
    auto step = membership_->step();
    const bool was_removed = !step && step.error().code() == Errc::unknown_member_id;
    if (!step && !was_removed) return step.error();
    outcome = was_removed ? rejoin() : go(*step);
    look_again.keep();
    if (!outcome) break;  // what is left is done by the next poll
  }
  return outcome;
}

Result<> GroupSubscription::go(const group::Step& step) {
  if (!step.to_revoke.empty()) {
    auto given_up = give_up(step.to_revoke);
    note(given_up, environment_.holder.hold(without(environment_.holder.held(), step.to_revoke)));
    membership_->release(step.to_revoke);
    signals_->announce();
    return given_up;
  }
  const auto before = environment_.holder.held();
  // Also where nothing is new: a topic may have been deleted and made again.
  Result<> outcome = environment_.holder.hold(step.owned);
  // The others are read on; every other poll tells of this one.
  if (!outcome) tries_again_ = true;
  {
    const base::MutexLock lock(metadata_mutex_);
    metadata_.generation_id = step.epoch;
  }
  const auto added = without(environment_.holder.held(), before);
  if (step.has_settled || !added.empty()) note(outcome, tell(listener_.on_assigned, added));
  return outcome;
}

// They are still its own: nobody else has them before `release`.
Result<> GroupSubscription::give_up(const std::vector<TopicPartition>& partitions) {
  Result<> outcome = environment_.holder.commit_by_itself();
  // Not of partitions that a static member lost while it was away.
  const auto held = environment_.holder.held();
  std::vector<TopicPartition> known;
  std::set_intersection(partitions.begin(), partitions.end(), held.begin(), held.end(),
                        std::back_inserter(known));
  if (!known.empty()) note(outcome, tell(listener_.on_revoked, known));
  return outcome;
}

Result<> GroupSubscription::rejoin() {
  const auto lost = environment_.holder.held();
  Result<> outcome = environment_.holder.hold({});
  if (!lost.empty()) note(outcome, tell(listener_.on_lost, lost));
  if (auto joined = join(); !joined) {
    signals_->announce();  // the next poll tries again
    return joined;
  }
  return outcome;
}

Result<> GroupSubscription::leave(group::Leaving leaving) {
  if (!membership_) return {};
  const auto held = environment_.holder.held();
  Result<> outcome;
  if (!held.empty()) outcome = membership_->is_member() ? give_up(held) : tell(listener_.on_lost, held);
  note(outcome, environment_.holder.hold({}));
  membership_->leave(leaving);
  membership_.reset();
  return outcome;
}

}  // namespace seriatim::consumer
