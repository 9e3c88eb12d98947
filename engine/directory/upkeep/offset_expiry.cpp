#include "directory/upkeep/offset_expiry.hpp"

#include <algorithm>
#include <set>

#include "base/saturate.hpp"

namespace seriatim::directory {
namespace {

std::set<std::string, std::less<>> subscribed_topics(const group::GroupCoordinator& groups,
                                                     std::string_view name) {
  std::set<std::string, std::less<>> topics;
  groups.look_at(name, [&](const group::Group& group) {
    for (const auto& [id, member] : group.members())
      topics.insert(member.topics.begin(), member.topics.end());
  });
  return topics;
}

}  // namespace

Result<> OffsetExpiry::step() {
  if (left_.empty()) {
    auto groups = environment_.offsets.groups();
    if (!groups) return groups.error();
    left_ = *std::move(groups);
    std::reverse(left_.begin(), left_.end());
  }
  Result<> outcome;
  for (std::size_t i = 0; i < groups_per_step && !left_.empty(); ++i) {
    const std::string group = std::move(left_.back());
    left_.pop_back();
    if (auto expired = expire(group); !expired && outcome) outcome = std::move(expired);
  }
  return outcome;
}

Result<> OffsetExpiry::expire(const std::string& group) {
  const auto topics = subscribed_topics(environment_.groups, group);
  const std::int64_t now_ms = environment_.clock.wall_ms();
  const auto is_expired = [&](const TopicPartition& at, const catalog::CommittedOffset& committed) {
    const bool is_due = base::saturating_add(committed.commit_time_ms, environment_.retention_ms) <= now_ms;
    return is_due && !topics.contains(at.topic) && !environment_.is_named(at.topic, group);
  };
  for (;;) {
    auto forgotten = environment_.offsets.expire(group, is_expired);
    if (!forgotten) return forgotten.error();
    if (*forgotten < group::CommittedOffsets::expired_at_once) return {};
  }
}

}  // namespace seriatim::directory
