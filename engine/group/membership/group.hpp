// One consumer group: its members, the assignment they are to reach, and the owner of each partition.
//
// A target assignment belongs to the epoch of the group it was computed for. Each member goes towards it at
// its own polls: it gives up what it is no longer to have, and takes what nobody else has. No member waits
// for another, and one that loses nothing notices nothing (Kafka's protocol "consumer").
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/assignor.hpp>
#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "group/membership/group_settings.hpp"
#include "group/membership/partition_owners.hpp"

namespace seriatim::group {

/// The way of a member towards its target, one step of it.
struct Step {
  std::vector<TopicPartition> to_revoke{};  ///< To be given up first, by `release`; then ask again.
  std::vector<TopicPartition> owned{};      ///< Its own from here on, sorted; not told while any are to go.
  std::int32_t epoch = -1;
  bool has_settled = false;  ///< It has come to an epoch that it was not in before.
};

/// Threads: one at a time.
class Group {
 public:
  struct Member {
    std::string id{};
    MemberSettings settings{};
    std::shared_ptr<MemberSignals> signals{};
    std::int32_t epoch = -1;  ///< Of the target that it has reached.
    std::vector<std::string> topics{};
    std::set<TopicPartition> target{};
    bool is_moving =
        true;  ///< The target differs from what it had, or it is new: it is told when it is there.
    std::optional<std::int64_t> away_since_ms{};  ///< A static member that has closed.
    std::uint64_t seen_poll = 0;                  ///< Its poll_count, as the watchdog saw it last,
    std::int64_t seen_since_ms = 0;               ///< and since when it has been that.
  };
  using Members = std::map<std::string, Member>;

  explicit Group(std::string name) : name_(std::move(name)) {}

  const std::string& name() const noexcept { return name_; }
  const Members& members() const noexcept { return members_; }
  const PartitionOwners& owners() const noexcept { return owners_; }
  std::int32_t epoch() const noexcept { return epoch_; }
  std::int32_t target_epoch() const noexcept { return target_epoch_; }

  /// A new member. A static one that was away comes back as what it was, and nobody else notices.
  /// @param number  makes its id: larger than those of all members before, of other groups too, so that no id
  /// is ever another's.
  /// @return its id.
  /// Errors: unreleased_instance_id: another member of that instance id lives.
  Result<std::string> join(MemberSettings settings, std::shared_ptr<MemberSignals> signals,
                           std::uint64_t number, std::int64_t now_ms);
  /// Takes the member's partitions from it, whatever it is doing. One that is not there is no error.
  void remove(const std::string& id, Leaving leaving, std::int64_t now_ms);
  /// Removes members that have not polled in time, and static ones that have been away for too long.
  void expire(std::int64_t now_ms);
  bool has(const std::string& id) const { return members_.contains(id); }
  /// Nobody is a member, and no commit of one is under way.
  bool is_idle() const noexcept { return members_.empty() && !owners_.has_commits(); }

  /// All members look.
  void announce_all();
  /// The topics have changed: whoever subscribes to others now starts an epoch.
  void resolve(const TopicCounts& topics);
  /// The task of computing the target of the newest epoch; nullopt if it is known, or somebody is at it.
  struct Task {
    std::int32_t epoch = 0;
    AssignmentRequest request{};
    Assignor assignor = Assignor::uniform;
    AssignFunction own{};
  };
  std::optional<Task> begin_target(const TopicCounts& topics);
  /// @param assignment  that of the task; nullptr: it has failed, and the next look begins anew, as behind an
  /// exception.
  void end_target(const Task& task, const Assignment* assignment);

  /// Errors: unknown_member_id: it was removed.
  Result<Step> step(const std::string& id);
  /// The member has given these up.
  void release(const std::string& id, const std::vector<TopicPartition>& partitions);
  /// Whether a member may commit these positions; while it does, nobody else gets the partitions.
  /// @param id  empty: a consumer that assigns its partitions itself.
  /// @param generation  its epoch when the positions were read; -1: of now.
  /// Errors: unknown_member_id.
  Result<> begin_commit(const std::string& id, std::int32_t generation, const TopicPartitionOffsets& offsets);
  void end_commit(const std::vector<TopicPartition>& partitions);

 private:
  void begin_epoch();
  /// Partition counts of all topics that somebody subscribes to.
  TopicCounts subscribed() const;
  Member* find_instance(const std::string& instance_id);
  bool is_overdue(Member& member, std::int64_t now_ms) const;
  std::pair<Assignor, AssignFunction> choose_assignor() const;
  /// The members that are to have these, and can have them now, look.
  template <class Partitions>
  void announce_free(const Partitions& partitions);
  void begin_next_round();
  Error not_a_member(const std::string& id) const;
  Result<> check_commit(const std::string& id, std::int32_t generation, const TopicPartition& at) const;

  const std::string name_;
  Members members_{};
  PartitionOwners owners_{};
  TopicCounts topics_{};                            ///< As of the last `resolve`.
  std::map<TopicPartition, std::string> wanted_{};  ///< The member whose target has it.
  std::int32_t epoch_ = 0;
  std::int32_t target_epoch_ = 0;
  bool is_computing_ = false;
  bool leaves_some_out_ = false;  ///< The target gives some partitions to nobody, until it is reached.
};

}  // namespace seriatim::group
