// Partitions that are added to a topic while a command reads it.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/result.hpp>

namespace seriatim::cli {

/// Threads: one at a time.
class PartitionWatch {
 public:
  /// @param interval  how often the catalog is asked at the most.
  explicit PartitionWatch(const Engine& engine,
                          std::chrono::milliseconds interval = std::chrono::milliseconds(500))
      : engine_(engine), interval_(interval) {}

  /// From now on, partitions of `topic` from `known_count` on are new.
  void watch(const std::string& topic, PartitionId known_count) { known_[topic] = known_count; }
  /// Partitions that are new since the last call; none if it is too early to ask again. A topic that was
  /// deleted has no new ones: reading it says what happened.
  Result<std::vector<TopicPartition>> added();

 private:
  Engine engine_;
  std::chrono::milliseconds interval_;
  std::chrono::steady_clock::time_point asked_{};
  std::map<std::string, PartitionId> known_{};
};

/// Assigns `added` to `consumer` beside what it reads already. They are read from their beginning, or from
/// where its group has committed: all that is in them came while the command ran.
Result<> assign_more(Consumer& consumer, const std::vector<TopicPartition>& added);

}  // namespace seriatim::cli
