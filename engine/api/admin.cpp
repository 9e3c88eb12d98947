// `Admin`: topics. Offsets of groups are in admin_groups.cpp.
#include <seriatim/admin.hpp>

#include <algorithm>
#include <utility>

#include <seriatim/exception.hpp>

#include "api/admin_impl.hpp"
#include "base/moved_from.hpp"
#include "catalog/records/topic_config_rules.hpp"
#include "directory/consumption.hpp"
#include "directory/engine_impl.hpp"
#include "directory/files/format_file.hpp"
#include "format/topic_name.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

constexpr PartitionId partitions_max = 10'000;

Result<> check_partition_count(PartitionId count) {
  if (count >= 1 && count <= partitions_max) return {};
  return Error(Errc::invalid_partitions, std::to_string(count) + " partitions: a topic has 1 to " +
                                             std::to_string(partitions_max) +
                                             "; choose a number in that range");
}

Result<PartitionDescription> describe_partition(detail::EngineImpl& engine, std::string_view topic,
                                                PartitionId index) {
  auto log = engine.partition_log(topic, index);
  if (!log) return log.error();
  if (auto refreshed = (*log)->refresh(); !refreshed) return refreshed.error();
  PartitionDescription partition{.partition = index,
                                 .log_start_offset = (*log)->log_start_offset(),
                                 .high_watermark = (*log)->high_watermark(),
                                 .last_stable_offset = (*log)->last_stable_offset(),
                                 .log_end_offset = (*log)->log_end_offset(),
                                 .durable_offset = (*log)->durable_offset()};
  const auto segments = (*log)->segments().load();
  partition.segment_count = static_cast<std::uint32_t>(segments->size());
  for (const auto& segment : *segments) partition.size_bytes += segment->end_position();
  if (!engine.is_read_only())
    partition.damage = std::static_pointer_cast<partition::Partition>(*log)->damage();
  return partition;
}

std::optional<SlowestGroup> slowest(const std::optional<group::GroupNeed>& need) {
  if (!need) return std::nullopt;
  return SlowestGroup{need->group, need->from};
}

Result<std::uint64_t> look_at_held_back(detail::EngineImpl& engine, const directory::TopicPtr& topic,
                                        PartitionId index, const directory::Consumption& consumption) {
  auto log = engine.topics.partition_log(topic, index);
  if (!log) return log.error();
  if (auto refreshed = (*log)->refresh(); !refreshed) return refreshed.error();
  return directory::held_back_bytes(**log, topic->config, consumption, engine.clock.wall_ms());
}

Result<PartitionRetention> retention_of(detail::EngineImpl& engine, const directory::TopicPtr& topic,
                                        PartitionId index) {
  auto consumption = directory::consumption_of(engine, {topic->name, index}, topic->config);
  if (!consumption) return consumption.error();
  PartitionRetention retention{
      .partition = index, .consumed = slowest(consumption->consumed), .unread = slowest(consumption->unread)};
  auto held_back = look_at_held_back(engine, topic, index, *consumption);
  if (!held_back && !detail::AdminImpl::is_damage(held_back.error())) return held_back.error();
  if (held_back) {
    retention.held_back_bytes = *held_back;
  } else {
    retention.damage = held_back.error().message();
  }
  return retention;
}

std::map<std::string, std::string> plain(const ConfigMap& config) { return {config.begin(), config.end()}; }

}  // namespace

using detail::AdminImpl;

Admin::Admin(std::shared_ptr<detail::EngineImpl> engine) noexcept : engine_(std::move(engine)) {}

Result<TopicCreation> Admin::create_topic(const NewTopic& topic) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable.error();
  if (auto named = format::check_topic_name(topic.name); !named) return named.error();
  if (auto counted = check_partition_count(topic.partition_count); !counted) return counted.error();
  const auto config = catalog::resolve_config(plain(topic.config));
  if (!config) return config.error();
  return engine_->topics.create(topic, *config);
} catch (...) {
  return current_error();
}

Result<> Admin::delete_topic(std::string_view name) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  return engine_->topics.remove(name);
} catch (...) {
  return current_error();
}

Result<> Admin::create_partitions(std::string_view topic, PartitionId total_count) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  if (auto counted = check_partition_count(total_count); !counted) return counted;
  return engine_->topics.add_partitions(topic, total_count);
} catch (...) {
  return current_error();
}

Result<> Admin::alter_config(std::string_view topic, const ConfigMap& config) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  return engine_->topics.set_config(topic, config);
} catch (...) {
  return current_error();
}

Result<> Admin::reset_config(std::string_view topic, const std::vector<std::string>& names) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  return engine_->topics.reset_config(topic, names);
} catch (...) {
  return current_error();
}

Result<std::vector<std::string>> Admin::list_topics() const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto usable = engine_->check_usable(); !usable) return usable.error();
  auto records = engine_->catalog->topics();
  if (!records) return records.error();
  std::vector<std::string> names;
  names.reserve(records->size());
  for (const auto& record : *records) names.push_back(record.name);
  return names;
} catch (...) {
  return current_error();
}

Result<TopicDescription> Admin::describe_topic(std::string_view name) const try {
  if (!engine_) return base::moved_from("Admin");
  auto topic = engine_->topic(name);
  if (!topic) return topic.error();
  TopicDescription description{.name = (*topic)->name,
                               .topic_id = directory::kafka_uuid_text((*topic)->id),
                               .config = (*topic)->config,
                               .overrides = (*topic)->overrides};
  for (PartitionId i = 0; i < (*topic)->partition_count(); ++i) {
    auto partition = describe_partition(*engine_, name, i);
    // One that cannot be opened must not hide the others.
    if (!partition && AdminImpl::is_damage(partition.error())) {
      description.partitions.push_back({.partition = i, .damage = partition.error().message()});
      continue;
    }
    if (!partition) return partition.error();
    description.partitions.push_back(*std::move(partition));
  }
  return description;
} catch (...) {
  return current_error();
}

Result<std::vector<PartitionRetention>> Admin::describe_retention(std::string_view name) const try {
  if (!engine_) return base::moved_from("Admin");
  auto topic = engine_->topic(name);
  if (!topic) return topic.error();
  std::vector<PartitionRetention> partitions;
  const TopicConfig& config = (*topic)->config;
  if (config.retention_consumed_groups.empty() && config.retention_unread_groups.empty()) return partitions;
  for (PartitionId i = 0; i < (*topic)->partition_count(); ++i) {
    auto retention = retention_of(*engine_, *topic, i);
    if (!retention) return retention.error();
    partitions.push_back(*std::move(retention));
  }
  return partitions;
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim
