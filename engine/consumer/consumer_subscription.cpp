// A consumer that is a member of a group.
#include <algorithm>
#include <utility>

#include "consumer/consumer_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

group::MemberSettings settings_of(const ConsumerOptions& options, group::Subscription topics) {
  return {.group_instance_id = options.group_instance_id,
          .subscription = std::move(topics),
          .assignor = options.assignor,
          .own_assignor = options.own_assignor,
          .max_poll_interval_ms = options.max_poll_interval.count(),
          .session_timeout_ms = options.session_timeout.count()};
}

}  // namespace

Result<> ConsumerImpl::subscribe(group::Subscription topics, RebalanceListener listener) {
  if (auto writable = engine->check_writable(); !writable) return writable;
  if (auto grouped = offsets.check_group(); !grouped) return grouped;
  if (thread.is_in_listener()) {
    return Error(Errc::invalid_state,
                 "subscribe was called inside a rebalance listener; call it when the listener has returned");
  }
  if (!subscription && !assigned.empty()) {
    return Error(
        Errc::invalid_state,
        "partitions are assigned to this consumer; unsubscribe gives them up, or use another consumer "
        "for the group");
  }
  if (auto left = unsubscribe(GroupMembership::leave); !left) return left;
  if (thread.is_closed()) return Error(Errc::closed, "the consumer was closed by its rebalance listener");
  early_seeks.clear();
  const auto signals = std::make_shared<group::MemberSignals>([waker = slot] { waker->wake(); });
  auto made = std::make_shared<consumer::GroupSubscription>(
      consumer::GroupSubscription::Environment{engine->groups, *this, thread}, options.group_id,
      settings_of(options, std::move(topics)), std::move(listener), signals);
  if (auto joined = made->join(); !joined) return joined;
  subscription.replace(std::move(made));
  return {};
}

Result<> ConsumerImpl::unsubscribe(GroupMembership wanted) {
  if (thread.is_in_listener()) {
    return Error(
        Errc::invalid_state,
        "unsubscribe was called inside a rebalance listener; call it when the listener has returned");
  }
  if (!subscription) {
    auto committed_now = commit_by_itself();
    auto replaced = replace_assignment({});
    return committed_now ? replaced : committed_now;
  }
  const bool leaves = wanted == GroupMembership::leave;
  auto left = subscription->leave(leaves ? group::Leaving::ends : group::Leaving::stays);
  subscription.replace(nullptr);
  return left;
}

std::vector<TopicPartition> ConsumerImpl::held() const {
  auto names = assignment();
  std::sort(names.begin(), names.end());
  return names;
}

Result<> ConsumerImpl::hold(const std::vector<TopicPartition>& partitions) {
  Result<> outcome;
  std::vector<TopicPartition> there;
  for (const TopicPartition& at : partitions) {
    auto log = engine->partition_log(at.topic, at.partition);
    if (log) there.push_back(at);
    const bool is_gone = !log && log.error().code() == Errc::unknown_topic_or_partition;
    if (!log && !is_gone && outcome) outcome = log.error();
  }
  if (auto replaced = replace_assignment(there); !replaced) return replaced;
  return outcome;
}

Result<> ConsumerImpl::commit_by_itself() {
  const bool may = offsets.may_commit_by_itself() && !engine->closed.load(std::memory_order_acquire);
  return may ? commit(positions(Committing::by_itself)) : Result<>();
}

Result<> ConsumerImpl::attend_group() {
  if (subscription.has_news()) {
    if (auto gone = subscription->reconcile(); !gone) return gone;
    // The listener may have closed the consumer.
    if (thread.is_closed())
      return Error(Errc::closed, "the consumer was closed by its rebalance listener; make a new one");
  }
  if (subscription) subscription->note_poll();
  if (!options.auto_commit || !offsets.is_commit_due()) return {};
  return commit_by_itself();
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
