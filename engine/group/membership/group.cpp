#include "group/membership/group.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace seriatim::group {
namespace {

// As many digits as keep the order of names that of joining: assignors go by it.
std::string member_id_of(std::uint64_t number) {
  constexpr std::size_t digits = 8;
  const std::string text = std::to_string(number);
  return "member-" + std::string(digits - std::min(digits, text.size()), '0') + text;
}

std::vector<TopicPartition> difference(const std::set<TopicPartition>& of,
                                       const std::set<TopicPartition>& without) {
  std::vector<TopicPartition> rest;
  std::set_difference(of.begin(), of.end(), without.begin(), without.end(), std::back_inserter(rest));
  return rest;
}

std::string text_of(const TopicPartition& at) { return at.topic + "-" + std::to_string(at.partition); }

}  // namespace

std::vector<std::string> Subscription::resolve(const TopicCounts& topics) const {
  std::vector<std::string> meant;
  if (matches) {
    for (const auto& [name, count] : topics) {
      if (matches(name)) meant.push_back(name);
    }
    return meant;
  }
  for (const std::string& name : names) {
    if (topics.contains(name)) meant.push_back(name);
  }
  std::sort(meant.begin(), meant.end());
  meant.erase(std::unique(meant.begin(), meant.end()), meant.end());
  return meant;
}

void Group::begin_epoch() {
  ++epoch_;
  announce_all();
}

void Group::announce_all() {
  for (auto& [id, member] : members_) {
    if (member.signals) member.signals->announce();
  }
}

Group::Member* Group::find_instance(const std::string& instance_id) {
  if (instance_id.empty()) return nullptr;
  const auto found = std::find_if(members_.begin(), members_.end(), [&](const auto& entry) {
    return entry.second.settings.group_instance_id == instance_id;
  });
  return found == members_.end() ? nullptr : &found->second;
}

Result<std::string> Group::join(MemberSettings settings, std::shared_ptr<MemberSignals> signals,
                                std::uint64_t number, std::int64_t now_ms) {
  Member member{.id = member_id_of(number),
                .settings = std::move(settings),
                .signals = std::move(signals),
                .seen_since_ms = now_ms};
  member.topics = member.settings.subscription.resolve(topics_);
  std::string id = member.id;
  Member* const before = find_instance(member.settings.group_instance_id);
  if (before == nullptr) {
    members_.emplace(id, std::move(member));
    begin_epoch();
    return id;
  }
  if (!before->away_since_ms) {
    return Error(Errc::unreleased_instance_id,
                 "group " + name_ + " has a living member with group_instance_id \"" +
                     before->settings.group_instance_id + "\" (" + before->id +
                     "); close that consumer first, or give this one another id");
  }
  const bool has_other_topics = before->topics != member.topics;
  member.epoch = before->epoch;
  member.target = std::move(before->target);
  owners_.rename(before->id, id);
  for (const TopicPartition& at : member.target) wanted_[at] = id;
  members_.erase(std::string(before->id));
  members_.emplace(id, std::move(member));
  // A target that is being computed knows it by its older id.
  if (has_other_topics || is_computing_) begin_epoch();
  return id;
}

void Group::remove(const std::string& id, Leaving leaving, std::int64_t now_ms) {
  const auto found = members_.find(id);
  if (found == members_.end()) return;
  Member& member = found->second;
  if (leaving == Leaving::stays && !member.settings.group_instance_id.empty()) {
    member.away_since_ms = now_ms;
    member.signals.reset();
    return;
  }
  // It may be alive, and is to find out.
  if (member.signals) member.signals->announce();
  owners_.release_all(id);
  std::erase_if(wanted_, [&](const auto& entry) { return entry.second == id; });
  members_.erase(found);
  begin_epoch();
}

bool Group::is_overdue(Member& member, std::int64_t now_ms) const {
  if (member.away_since_ms) return now_ms - *member.away_since_ms >= member.settings.session_timeout_ms;
  const std::uint64_t count = member.signals->poll_count();
  const bool is_inside = count % 2 != 0;
  if (is_inside || count != member.seen_poll) {
    member.seen_poll = count;
    member.seen_since_ms = now_ms;
    return false;
  }
  return now_ms - member.seen_since_ms >= member.settings.max_poll_interval_ms;
}

void Group::expire(std::int64_t now_ms) {
  std::vector<std::string> overdue;
  for (auto& [id, member] : members_) {
    if (is_overdue(member, now_ms)) overdue.push_back(id);
  }
  for (const std::string& id : overdue) remove(id, Leaving::ends, now_ms);
}

TopicCounts Group::subscribed() const {
  TopicCounts counts;
  for (const auto& [id, member] : members_) {
    for (const std::string& topic : member.topics) {
      const auto found = topics_.find(topic);
      if (found != topics_.end()) counts.emplace(*found);
    }
  }
  return counts;
}

void Group::resolve(const TopicCounts& topics) {
  if (topics == topics_) return;
  const TopicCounts before = subscribed();
  // All memory first.
  std::vector<std::vector<std::string>> meant;
  for (const auto& [id, member] : members_) meant.push_back(member.settings.subscription.resolve(topics));
  topics_ = topics;
  bool is_changed = false;
  auto next = meant.begin();
  for (auto& [id, member] : members_) {
    is_changed = is_changed || *next != member.topics;
    member.topics = std::move(*next++);
  }
  if (is_changed || subscribed() != before) begin_epoch();
}

// The one that most members want, as Kafka chooses; a function of the application's own before all names.
std::pair<Assignor, AssignFunction> Group::choose_assignor() const {
  std::map<Assignor, int> votes;
  for (const auto& [id, member] : members_) {
    if (member.settings.own_assignor) return {member.settings.assignor, member.settings.own_assignor};
    ++votes[member.settings.assignor];
  }
  const auto most = std::max_element(votes.begin(), votes.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return {most == votes.end() ? Assignor::uniform : most->first, AssignFunction()};
}

std::optional<Group::Task> Group::begin_target(const TopicCounts& topics) {
  resolve(topics);
  if (epoch_ == target_epoch_ || is_computing_) return std::nullopt;
  auto [assignor, own] = choose_assignor();
  Task task{.epoch = epoch_, .assignor = assignor, .own = std::move(own)};
  task.request.partitions = subscribed();
  for (const auto& [id, member] : members_) {
    const std::string& instance = member.settings.group_instance_id;
    task.request.members.push_back(
        {.member_id = id,
         .group_instance_id = instance.empty() ? std::nullopt : std::optional(instance),
         .topics = member.topics,
         .owned = {member.target.begin(), member.target.end()}});
  }
  is_computing_ = true;
  return task;
}

void Group::end_target(const Task& task, const Assignment* assignment) {
  is_computing_ = false;
  if (assignment == nullptr || task.epoch != epoch_) return;
  // All memory first.
  std::vector<std::set<TopicPartition>> targets;
  decltype(wanted_) wanted;
  for (const auto& [id, member] : members_) {
    auto& target = targets.emplace_back();
    const auto given = assignment->find(id);
    if (given != assignment->end()) target.insert(given->second.begin(), given->second.end());
    for (const TopicPartition& at : target) wanted[at] = id;
  }
  target_epoch_ = task.epoch;
  wanted_.swap(wanted);
  auto next = targets.begin();
  for (auto& [id, member] : members_) {
    member.target.swap(*next++);
    const bool stays_as_it_is = member.epoch >= 0 && member.target == owners_.of(id);
    member.is_moving = member.is_moving || !stays_as_it_is;
    if (stays_as_it_is && !member.is_moving) member.epoch = target_epoch_;
    if (!stays_as_it_is && member.signals) member.signals->announce();
  }
  std::size_t subscribed_count = 0;
  for (const auto& [topic, count] : task.request.partitions)
    subscribed_count += static_cast<std::size_t>(count);
  leaves_some_out_ = wanted_.size() < subscribed_count;
}

Result<Step> Group::step(const std::string& id) {
  const auto found = members_.find(id);
  if (found == members_.end()) return not_a_member(id);
  Member& member = found->second;
  const auto& owned = owners_.of(id);
  Step step{.to_revoke = difference(owned, member.target), .epoch = member.epoch};
  if (!step.to_revoke.empty()) return step;
  bool has_more = false;
  for (const TopicPartition& at : difference(member.target, owned)) {
    if (!owners_.is_free(at)) continue;
    owners_.take(at, id, target_epoch_);
    has_more = true;
  }
  const auto& now_owned = owners_.of(id);
  step.owned.assign(now_owned.begin(), now_owned.end());
  const bool has_target = target_epoch_ > 0 && (member.epoch >= 0 || epoch_ == target_epoch_);
  step.has_settled = has_more || (has_target && member.is_moving);
  if (has_target) {
    member.epoch = target_epoch_;
    member.is_moving = false;
  }
  step.epoch = member.epoch;
  begin_next_round();
  return step;
}

// A cooperative assignor leaves out what has to change its owner, and gives it away once it is free.
void Group::begin_next_round() {
  if (!leaves_some_out_ || epoch_ != target_epoch_) return;
  const bool is_reached = std::all_of(members_.begin(), members_.end(), [this](const auto& entry) {
    return entry.second.away_since_ms || entry.second.target == owners_.of(entry.first);
  });
  if (!is_reached) return;
  leaves_some_out_ = false;
  begin_epoch();
}

template <class Partitions>
void Group::announce_free(const Partitions& partitions) {
  for (const TopicPartition& at : partitions) {
    const auto wanted = wanted_.find(at);
    if (wanted == wanted_.end() || !owners_.is_free(at)) continue;
    const auto member = members_.find(wanted->second);
    if (member != members_.end() && member->second.signals) member->second.signals->announce();
  }
}

void Group::release(const std::string& id, const std::vector<TopicPartition>& partitions) {
  for (const TopicPartition& at : partitions) owners_.release(at, id);
  announce_free(partitions);
}

Error Group::not_a_member(const std::string& id) const {
  return {Errc::unknown_member_id,
          "group " + name_ + " has no member " + (id.empty() ? std::string("without an id") : id) +
              " (any more): it was removed, or did not poll for its max_poll_interval. Its partitions are "
              "others' now; nothing was committed. The next poll joins again, and what was not committed is "
              "delivered again"};
}

Result<> Group::check_commit(const std::string& id, std::int32_t generation, const TopicPartition& at) const {
  const auto* const owner = owners_.find(at);
  const bool is_own = owner != nullptr && owner->member == id;
  if (is_own && (generation < 0 || generation >= owner->since_epoch)) return {};
  const bool is_managed =
      owner != nullptr || std::any_of(members_.begin(), members_.end(), [&](const auto& entry) {
        return std::binary_search(entry.second.topics.begin(), entry.second.topics.end(), at.topic);
      });
  if (!is_managed) return {};
  return Error(Errc::unknown_member_id,
               id + " of group " + name_ + " cannot commit a position of " + text_of(at) +
                   ": the partition is " +
                   (owner != nullptr && !is_own ? owner->member + "'s now" : std::string("not its own")) +
                   (is_own ? " since a later epoch" : "") +
                   "; commit in the listener's on_revoked what was processed, before the partition goes");
}

Result<> Group::begin_commit(const std::string& id, std::int32_t generation,
                             const TopicPartitionOffsets& offsets) {
  if (id.empty()) {
    if (members_.empty()) return {};
    return Error(Errc::unknown_member_id,
                 "group " + name_ +
                     " has members, and only they commit: this consumer assigns its partitions "
                     "itself; subscribe, or use a group_id of its own");
  }
  if (!members_.contains(id)) return not_a_member(id);
  for (const auto& [at, position] : offsets) {
    if (auto checked = check_commit(id, generation, at); !checked) return checked;
  }
  for (const auto& [at, position] : offsets) owners_.begin_commit(at);
  return {};
}

void Group::end_commit(const std::vector<TopicPartition>& partitions) {
  for (const TopicPartition& at : partitions) owners_.end_commit(at);
  announce_free(partitions);
}

}  // namespace seriatim::group
