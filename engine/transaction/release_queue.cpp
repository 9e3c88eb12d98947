#include "transaction/release_queue.hpp"

#include <algorithm>
#include <iterator>

namespace seriatim::transaction {

// Readers are woken after the locked instructions of release_transaction, as after an unlock: what those have
// stored is seen before it is looked who sleeps.
template <class Parts>
void ReleaseQueue::release(std::span<const Parts> groups) {
  gate_.change([&] {
    for (const Parts& group : groups) {
      for (const EndedPart& part : group) part.partition->release_transaction(part.first);
    }
  });
  for (const Parts& group : groups) {
    for (const EndedPart& part : group) part.partition->notify_released();
  }
}

void ReleaseQueue::commit(const EndedParts& parts) {
  const base::MutexLock lock(gate_.mutex);
  if (groups_.empty() && is_free(parts)) return release<EndedParts>({&parts, 1});
  Group waiting;
  for (const EndedPart& part : parts) waiting.push_back({part, part.partition->shared_from_this()});
  groups_.push_back(std::move(waiting));
  const std::size_t before = groups_.size();
  release_all_that_can();
  if (groups_.size() == before) merge_last();
  waiting_.store(groups_.size(), std::memory_order_relaxed);
}

void ReleaseQueue::abort(const EndedParts& parts) {
  const base::MutexLock lock(gate_.mutex);
  release<EndedParts>({&parts, 1});
  release_all_that_can();
}

void ReleaseQueue::look_again() {
  const base::MutexLock lock(gate_.mutex);
  release_all_that_can();
}

ReleaseQueue::Holds ReleaseQueue::holds_of(const Group& group) {
  Holds holds;
  for (const EndedPart& part : group) holds.emplace(part.partition, part.first);
  return holds;
}

// The groups that have to be released before it, or with it. A deleted topic is in nobody's way.
ReleaseQueue::Holds ReleaseQueue::obstacles_of(const Group& group) {
  Holds obstacles;
  for (const WaitingPart& part : group) {
    if (part.partition->is_deleted()) continue;
    for (const Offset first : part.partition->held_back(part.last)) {
      if (first != part.first) obstacles.emplace(part.partition, first);
    }
  }
  return obstacles;
}

bool ReleaseQueue::is_free(const EndedParts& parts) {
  return std::all_of(parts.begin(), parts.end(), [](const EndedPart& part) {
    return part.partition->is_deleted() || part.partition->holds_back_only(part.first, part.last);
  });
}

// Groups that something outside of the set holds back leave it, until there is no such one.
void ReleaseQueue::release_all_that_can() {
  if (groups_.empty()) return;
  std::vector<Holds> obstacles;
  Holds released;
  for (const Group& group : groups_) {
    obstacles.push_back(obstacles_of(group));
    released.merge(holds_of(group));
  }
  std::vector<bool> stays(groups_.size(), false);
  for (bool has_changed = true; has_changed;) {
    has_changed = false;
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      if (stays[i] ||
          std::includes(released.begin(), released.end(), obstacles[i].begin(), obstacles[i].end()))
        continue;
      stays[i] = has_changed = true;
      for (const Hold& hold : holds_of(groups_[i])) released.erase(hold);
    }
  }
  // Room first: a group that is on its way must not be lost for want of memory.
  std::vector<Group> going;
  std::vector<Group> staying;
  going.reserve(groups_.size());
  staying.reserve(groups_.size());
  for (std::size_t i = 0; i < groups_.size(); ++i)
    (stays[i] ? staying : going).push_back(std::move(groups_[i]));
  groups_ = std::move(staying);
  waiting_.store(groups_.size(), std::memory_order_relaxed);
  if (!going.empty()) release<Group>(going);
}

// The newest group waits for the same as another, or for that other and nothing the other does not wait for:
// then they are released together, whatever comes.
void ReleaseQueue::merge_last() {
  const Holds obstacles = obstacles_of(groups_.back());
  for (std::size_t i = 0; i + 1 < groups_.size(); ++i) {
    const Holds others = holds_of(groups_[i]);
    Holds rest;
    std::set_difference(obstacles.begin(), obstacles.end(), others.begin(), others.end(),
                        std::inserter(rest, rest.end()));
    const Holds known = obstacles_of(groups_[i]);
    const bool is_behind = rest.size() < obstacles.size();
    const bool are_one =
        is_behind ? std::includes(known.begin(), known.end(), rest.begin(), rest.end()) : rest == known;
    if (!are_one) continue;
    take_in(groups_[i], groups_.back());
    groups_.pop_back();
    return;
  }
}

// Of two holds in one partition the lower one does for both.
void ReleaseQueue::take_in(Group& group, const Group& parts) {
  for (const WaitingPart& part : parts) {
    const auto same = std::find_if(group.begin(), group.end(), [&](const WaitingPart& other) {
      return other.partition == part.partition;
    });
    if (same == group.end()) {
      group.push_back(part);
      continue;
    }
    part.partition->release_transaction(std::max(same->first, part.first));
    same->first = std::min(same->first, part.first);
    same->last = std::max(same->last, part.last);
  }
}

}  // namespace seriatim::transaction
