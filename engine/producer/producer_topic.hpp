// A topic as one producer uses it: what the hot path needs, found without a lock and without counting
// references.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/producer.hpp>

#include "base/mutex.hpp"
#include "directory/engine_impl.hpp"
#include "directory/topics/topic.hpp"
#include "format/batch/frame.hpp"
#include "producer/partition_chooser.hpp"
#include "transaction/producer_identity.hpp"

namespace seriatim::producer {

/// An acknowledgement level in the terms of the partition.
inline partition::Durability durability_of(Acks acks) noexcept {
  return acks == Acks::all ? partition::Durability::durable : partition::Durability::published;
}

struct ProducerTopic {
  ProducerTopic(directory::TopicPtr of, std::uint64_t registry_version, const ProducerOptions& options,
                std::uint64_t seed);

  /// The partition at `index`, open for writing.
  Result<partition::Partition*> partition(PartitionId index) const;
  bool stamps_append_time() const noexcept {
    return topic->config.message_timestamp_type == TimestampType::log_append_time;
  }
  bool needs_key() const noexcept { return topic->config.cleanup_policy != CleanupPolicy::delete_; }
  /// How a batch of this topic is framed at `append_time_ms`.
  format::FrameOptions frame_options(std::int64_t append_time_ms) const noexcept;

  const directory::TopicPtr topic;
  mutable std::atomic<std::uint64_t>
      version;  ///< Of the registry in which `topic` was found to be the current one.
  format::Codec codec;
  std::optional<int> level;
  mutable PartitionChooser chooser;
  /// By partition; of an idempotent producer.
  std::unique_ptr<transaction::NextSequence[]> next_sequences;
};

/// The topics a producer has used. Entries live as long as the producer, replaced ones too (they are small,
/// and replaced only when their own topic changes): a thread may use an entry it has looked up without
/// holding anything.
/// Threads: any.
class ProducerTopics {
 public:
  ProducerTopics(detail::EngineImpl& engine, const ProducerOptions& options)
      : engine_(engine), options_(options) {}

  /// Errors: unknown_topic_or_partition, closed, invalid_state.
  /// Cost: two acquire loads and a comparison of the name, if the topic was used lately.
  Result<const ProducerTopic*> find(std::string_view name);

 private:
  Result<const ProducerTopic*> look_up(std::string_view name, std::uint64_t version);

  static constexpr std::size_t recent_count = 16;
  static std::size_t place_of(std::string_view name) noexcept {
    return name.empty() ? 0 : (name.size() * 7 + static_cast<unsigned char>(name.back())) % recent_count;
  }

  detail::EngineImpl& engine_;
  const ProducerOptions& options_;
  std::array<std::atomic<const ProducerTopic*>, recent_count> recent_{};
  base::Mutex mutex_;
  std::vector<std::unique_ptr<const ProducerTopic>> owned_ SERIATIM_GUARDED_BY(mutex_);
  std::map<std::string_view, const ProducerTopic*> current_
      SERIATIM_GUARDED_BY(mutex_);  // the newest of each name; names are those of owned_
};

}  // namespace seriatim::producer
