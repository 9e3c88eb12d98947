#include "group/membership/membership.hpp"

#include <optional>
#include <utility>

#include "base/boundary.hpp"
#include "base/saturate.hpp"
#include "group/assign/assign.hpp"

namespace seriatim::group {
namespace {

// Without a lock: a function of the application's own may call the engine.
Result<Assignment> compute(const Group::Task& task) {
  if (!task.own) return assign::assign(task.assignor, task.request);
  auto assignment = base::answered([&]() -> Result<Assignment> { return task.own(task.request); });
  if (!assignment) return assignment.error().with_context("the assignor of the application has failed");
  if (auto checked = assign::check_assignment(task.request, *assignment); !checked) return checked.error();
  return assignment;
}

}  // namespace

Result<> Membership::compute_target() {
  for (;;) {
    std::optional<Group::Task> task;
    {
      const base::MutexLock lock(group_->mutex);
      if (group_->group.epoch() == group_->group.target_epoch()) return {};
      task = group_->group.begin_target(coordinator_.environment_.topics());
    }
    if (!task) return {};
    // However it ends, nobody else is kept from computing it.
    const auto assignment = base::answered([&] { return compute(*task); });
    const base::MutexLock lock(group_->mutex);
    const auto ended = base::answered([&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS -> Result<> {
      group_->group.end_target(*task, assignment ? &*assignment : nullptr);
      return assignment ? Result<>() : Result<>(assignment.error());
    });
    if (!ended) {
      signals_->announce();  // the next poll tries again
      return ended.error();
    }
  }
}

Result<Step> Membership::step() {
  if (auto computed = compute_target(); !computed) return computed.error();
  const base::MutexLock lock(group_->mutex);
  return group_->group.step(member_id_);
}

void Membership::release(const std::vector<TopicPartition>& partitions) {
  const base::MutexLock lock(group_->mutex);
  group_->group.release(member_id_, partitions);
}

bool Membership::is_member() const {
  const base::MutexLock lock(group_->mutex);
  return group_->group.has(member_id_);
}

void Membership::leave(Leaving leaving) {
  if (std::exchange(has_left_, true)) return;
  {
    const base::MutexLock lock(group_->mutex);
    group_->group.remove(member_id_, leaving, base::ms_of_ns(coordinator_.environment_.clock.monotonic_ns()));
  }
  coordinator_.drop_if_empty(group_);
}

}  // namespace seriatim::group
