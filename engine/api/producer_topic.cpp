#include "api/producer_topic.hpp"

#include <utility>

namespace seriatim::api {
namespace {

format::Codec codec_of(CompressionType type) noexcept {
  switch (type) {
    case CompressionType::producer:
    case CompressionType::uncompressed: return format::Codec::none;
    case CompressionType::gzip: return format::Codec::gzip;
    case CompressionType::snappy: return format::Codec::snappy;
    case CompressionType::lz4: return format::Codec::lz4;
    case CompressionType::zstd: return format::Codec::zstd;
  }
  return format::Codec::none;
}

}  // namespace

ProducerTopic::ProducerTopic(TopicPtr of, std::uint64_t registry_version, const ProducerOptions& options, std::uint64_t seed)
    : topic(std::move(of)), version(registry_version), chooser(options.partitioning, options.batch_size, seed) {
  const bool producers_choice = topic->config.compression_type == CompressionType::producer;
  codec = codec_of(producers_choice ? options.compression_type : topic->config.compression_type);
  if (codec == codec_of(options.compression_type)) level = options.compression_level;
}

Result<partition::Partition*> ProducerTopic::partition(PartitionId index) const {
  if (index < 0 || index >= topic->partition_count()) {
    return Error(Errc::unknown_topic_or_partition, "topic " + topic->name + " has partitions 0 to " +
                                                       std::to_string(topic->partition_count() - 1) + ", not " + std::to_string(index));
  }
  auto log = topic->partitions[static_cast<std::size_t>(index)]->log();
  if (!log) return log.error();
  return static_cast<partition::Partition*>(*log);  // A producer exists only in an engine that writes, which opens nothing else.
}

format::FrameOptions ProducerTopic::frame_options(std::int64_t append_time_ms) const noexcept {
  return {.codec = codec,
          .level = level,
          .log_append_time = topic->config.message_timestamp_type == TimestampType::log_append_time,
          .append_time_ms = append_time_ms};
}

Result<const ProducerTopic*> ProducerTopics::find(std::string_view name) {
  const std::uint64_t version = engine_.topics.version();
  const ProducerTopic* recent = recent_[place_of(name)].load(std::memory_order_acquire);
  if (recent != nullptr && recent->version == version && recent->topic->name == name) return recent;
  return look_up(name, version);
}

Result<const ProducerTopic*> ProducerTopics::look_up(std::string_view name, std::uint64_t version) {
  const base::MutexLock lock(mutex_);
  for (auto it = owned_.rbegin(); it != owned_.rend(); ++it) {
    if ((*it)->version == version && (*it)->topic->name == name) {
      recent_[place_of(name)].store(it->get(), std::memory_order_release);
      return it->get();
    }
  }
  auto topic = engine_.topic(name);
  if (!topic) return topic.error();
  // The version was read before the topic: if it changed in between, the entry is looked up again next time.
  const auto seed = static_cast<std::uint64_t>(engine_.clock.monotonic_ns());
  owned_.push_back(std::make_unique<const ProducerTopic>(*std::move(topic), version, options_, seed));
  recent_[place_of(name)].store(owned_.back().get(), std::memory_order_release);
  return owned_.back().get();
}

}  // namespace seriatim::api
