#include "producer/producer_topic.hpp"

#include <utility>

namespace seriatim::producer {
namespace {

format::Codec codec_of(CompressionType type) noexcept {
  switch (type) {
    case CompressionType::producer:
    case CompressionType::uncompressed:
      return format::Codec::none;
    case CompressionType::gzip:
      return format::Codec::gzip;
    case CompressionType::snappy:
      return format::Codec::snappy;
    case CompressionType::lz4:
      return format::Codec::lz4;
    case CompressionType::zstd:
      return format::Codec::zstd;
  }
  return format::Codec::none;
}

}  // namespace

ProducerTopic::ProducerTopic(directory::TopicPtr of, std::uint64_t registry_version,
                             const ProducerOptions& options, std::uint64_t seed)
    : topic(std::move(of)),
      version(registry_version),
      chooser(options.partitioning, options.batch_size, seed),
      next_sequences(std::make_unique<transaction::NextSequence[]>(topic->partitions.size())) {
  for (std::size_t i = 0; i < topic->partitions.size(); ++i) next_sequences[i] = -1;
  const bool producers_choice = topic->config.compression_type == CompressionType::producer;
  codec = codec_of(producers_choice ? options.compression_type : topic->config.compression_type);
  if (codec == codec_of(options.compression_type)) level = options.compression_level;
}

Result<partition::Partition*> ProducerTopic::partition(PartitionId index) const {
  if (index < 0 || index >= topic->partition_count()) {
    return Error(Errc::unknown_topic_or_partition, "topic " + topic->name + " has partitions 0 to " +
                                                       std::to_string(topic->partition_count() - 1) +
                                                       ", not " + std::to_string(index));
  }
  auto log = topic->partitions[static_cast<std::size_t>(index)]->log();
  if (!log) return log.error();
  return static_cast<partition::Partition*>(
      *log);  // A producer exists only in an engine that writes, which opens nothing else.
}

format::FrameOptions ProducerTopic::frame_options(std::int64_t append_time_ms) const noexcept {
  return {.codec = codec,
          .level = level,
          .log_append_time = stamps_append_time(),
          .append_time_ms = append_time_ms};
}

Result<const ProducerTopic*> ProducerTopics::find(std::string_view name) {
  const std::uint64_t version = engine_.topics.version();
  const ProducerTopic* recent = recent_[place_of(name)].load(std::memory_order_acquire);
  if (recent != nullptr && recent->version.load(std::memory_order_acquire) == version &&
      recent->topic->name == name)
    return recent;
  return look_up(name, version);
}

Result<const ProducerTopic*> ProducerTopics::look_up(std::string_view name, std::uint64_t version) {
  const base::MutexLock lock(mutex_);
  const auto found = current_.find(name);
  const ProducerTopic* known = found == current_.end() ? nullptr : found->second;
  if (known == nullptr || known->version.load(std::memory_order_relaxed) != version) {
    auto topic = engine_.topic(name);
    if (!topic) return topic.error();
    // The version was read before the topic: if it changed in between, the entry is looked up again next
    // time.
    if (known != nullptr && known->topic == *topic) {
      known->version.store(version, std::memory_order_release);
    } else {
      const auto seed = static_cast<std::uint64_t>(engine_.clock.monotonic_ns());
      known =
          owned_
              .emplace_back(std::make_unique<const ProducerTopic>(*std::move(topic), version, options_, seed))
              .get();
      current_.insert_or_assign(known->topic->name, known);
    }
  }
  recent_[place_of(name)].store(known, std::memory_order_release);
  return known;
}

}  // namespace seriatim::producer
