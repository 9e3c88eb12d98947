// The topics of a retry consumer beside those that it consumes: one for retries, and one for the dead letters
// of each.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

namespace seriatim::flow {

/// Threads: any.
class RetryTopics {
 public:
  RetryTopics(const Engine& engine, std::string group, std::string retry_topic);

  /// Makes those that are not there.
  /// Errors: as Admin::describe_topic and Admin::create_topic.
  Result<> make(const std::vector<std::string>& topics);
  /// Makes the retry topic again, where somebody deleted it.
  Result<> make_retry_topic();

  const std::string& retry_topic() const noexcept { return retry_topic_; }
  PartitionId retry_partition(PartitionId of) const noexcept { return of % retry_partitions_; }
  /// The topic and partition for dead letters; made if this has not seen it yet.
  Result<TopicPartition> letter_place(std::string_view topic, PartitionId partition);
  /// Somebody deleted it: it is made again.
  void forget_letters(std::string_view topic);

 private:
  /// @return its number of partitions.
  Result<PartitionId> partitions_of(const std::string& topic) const;
  Result<PartitionId> make_letter_topic(const std::string& topic) const;
  Result<PartitionId> letter_partitions(const std::string& topic);

  const Engine engine_;
  const std::string group_;
  const std::string retry_topic_;
  PartitionId retry_partitions_ = 1;  ///< Set by `make`.
  std::mutex mutex_;
  std::map<std::string, PartitionId, std::less<>> letters_{};  ///< By the topic of the records.
};

}  // namespace seriatim::flow
