#include "flow/retry/retry_topics.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include <seriatim/admin.hpp>

#include "flow/dead_letters/dead_letter_headers.hpp"

namespace seriatim::flow {
namespace {

// More than a record that can wait takes with its headers.
constexpr const char* retry_message_bytes = "2097152";
// For the headers of a letter; they take less than 4 KiB.
constexpr std::int64_t letter_headers_bytes = std::int64_t{64} << 10;

bool is_unknown(const Error& error) { return error.code() == Errc::unknown_topic_or_partition; }

// A name that can stand in a list of a topic's settings.
bool can_be_listed(const std::string& group) {
  return group.find(',') == std::string::npos && group.front() != ' ' && group.back() != ' ';
}

}  // namespace

RetryTopics::RetryTopics(const Engine& engine, std::string group, std::string retry_topic)
    : engine_(engine), group_(std::move(group)), retry_topic_(std::move(retry_topic)) {}

Result<PartitionId> RetryTopics::partitions_of(const std::string& topic) const {
  auto described = engine_.admin().describe_topic(topic);
  if (!described) return described.error();
  return static_cast<PartitionId>(described->partitions.size());
}

Result<> RetryTopics::make(const std::vector<std::string>& topics) {
  for (const std::string& topic : topics) {
    auto partitions = partitions_of(topic);
    if (!partitions) return partitions.error();
    retry_partitions_ = std::max(retry_partitions_, *partitions);
    if (auto letters = letter_partitions(topic); !letters) return letters.error();
  }
  auto existing = partitions_of(retry_topic_);
  if (!existing && is_unknown(existing.error())) return make_retry_topic();
  if (!existing) return existing.error();
  retry_partitions_ = *existing;
  return {};
}

// Its records go once they are handled, however long that takes.
Result<> RetryTopics::make_retry_topic() {
  ConfigMap config{{"retention.ms", "-1"}, {"max.message.bytes", retry_message_bytes}};
  if (can_be_listed(group_)) config.emplace("retention.consumed.groups", group_);
  auto created = engine_.admin().create_topic({.name = retry_topic_,
                                               .partition_count = retry_partitions_,
                                               .config = std::move(config),
                                               .if_not_exists = true});
  return created ? Result<>() : created.error().with_context("creating the retry topic");
}

// Letters stay until somebody purges them.
Result<PartitionId> RetryTopics::make_letter_topic(const std::string& topic) const {
  NewTopic letters{.name = topic + std::string(dead_letter_suffix),
                   .config = {{"retention.ms", "-1"}},
                   .if_not_exists = true};
  auto described = engine_.admin().describe_topic(topic);
  if (!described && !is_unknown(described.error())) return described.error();
  if (described) {
    const std::int64_t largest = std::min<std::int64_t>(
        described->config.max_message_bytes + letter_headers_bytes, std::numeric_limits<std::int32_t>::max());
    letters.partition_count = static_cast<PartitionId>(described->partitions.size());
    letters.config.emplace("max.message.bytes", std::to_string(largest));
  }
  auto created = engine_.admin().create_topic(letters);
  if (!created) return created.error().with_context("creating the topic for dead letters of " + topic);
  return letters.partition_count;
}

Result<PartitionId> RetryTopics::letter_partitions(const std::string& topic) {
  const std::lock_guard lock(mutex_);
  if (const auto known = letters_.find(topic); known != letters_.end()) return known->second;
  auto partitions = partitions_of(topic + std::string(dead_letter_suffix));
  if (!partitions && is_unknown(partitions.error())) partitions = make_letter_topic(topic);
  if (partitions) letters_.emplace(topic, *partitions);
  return partitions;
}

Result<TopicPartition> RetryTopics::letter_place(std::string_view topic, PartitionId partition) {
  const std::string source(topic);
  auto partitions = letter_partitions(source);
  if (!partitions) return partitions.error();
  return TopicPartition{source + std::string(dead_letter_suffix), partition % *partitions};
}

void RetryTopics::forget_letters(std::string_view topic) {
  const std::lock_guard lock(mutex_);
  letters_.erase(std::string(topic));
}

}  // namespace seriatim::flow
