// The owner of each partition of a group: never two at once, however a member came to lose it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include <seriatim/types.hpp>

namespace seriatim::group {

/// Threads: one at a time.
class PartitionOwners {
 public:
  struct Owner {
    std::string member{};
    std::int32_t since_epoch = 0;
  };

  /// Whether nobody has it, and no commit of a former owner is under way.
  bool is_free(const TopicPartition& at) const { return !owners_.contains(at) && !commits_.contains(at); }
  const Owner* find(const TopicPartition& at) const {
    const auto found = owners_.find(at);
    return found == owners_.end() ? nullptr : &found->second;
  }
  const std::set<TopicPartition>& of(const std::string& member) const;
  void take(const TopicPartition& at, const std::string& member, std::int32_t epoch);
  /// One that is not the member's stays.
  void release(const TopicPartition& at, const std::string& member);
  /// @return those that it had.
  std::set<TopicPartition> release_all(const std::string& member);
  /// A member that has come back under another id.
  void rename(const std::string& from, const std::string& to);

  void begin_commit(const TopicPartition& at) { ++commits_[at]; }
  void end_commit(const TopicPartition& at);
  bool has_commits() const noexcept { return !commits_.empty(); }

 private:
  std::map<TopicPartition, Owner> owners_{};
  std::map<std::string, std::set<TopicPartition>> owned_{};
  std::map<TopicPartition, int> commits_{};  ///< Under way.
};

}  // namespace seriatim::group
