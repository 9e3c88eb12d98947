#include "directory/topics/topics.hpp"

#include <utility>

#include "base/text.hpp"
#include "catalog/records/topic_config_rules.hpp"
#include "directory/topics/deleted_topic_files.hpp"
#include "format/file_name.hpp"
#include "os/path.hpp"
#include "partition/tail/tailing_log.hpp"

namespace seriatim::directory {

Result<TopicPtr> Topics::find(std::string_view name) {
  if (!environment_.is_read_only) return known(name);
  if (auto usable = environment_.check_usable(); !usable) return usable.error();
  auto found = look_up(name);
  if (!found) return found.error();
  if (*found) return **std::move(found);
  return unknown_topic(name);
}

Result<TopicPtr> Topics::known(std::string_view name) const {
  if (auto usable = environment_.check_usable(); !usable) return usable.error();
  const auto topics = registry_.load();
  const auto found = topics->find(name);
  return found != topics->end() ? Result<TopicPtr>(found->second) : unknown_topic(name);
}

Result<std::optional<TopicPtr>> Topics::look_up(std::string_view name) {
  const base::MutexLock guard(mutex_);
  auto record = environment_.catalog->topic(name);
  if (!record && record.error().code() == Errc::unknown_topic_or_partition) return std::optional<TopicPtr>();
  if (!record) return record.error();
  const auto latest = registry_.load();
  auto map = std::make_shared<TopicMap>(*latest);
  const auto previous = map->find(name);
  const bool is_same = previous != map->end() && previous->second->id == record->topic_id;
  if (is_same && previous->second->partition_count() == record->partition_count &&
      previous->second->overrides == ConfigMap(record->config.begin(), record->config.end())) {
    return std::optional(previous->second);
  }
  auto topic = make_topic(*record, is_same ? previous->second.get() : nullptr);
  (*map)[std::string(name)] = topic;
  registry_.store(map);
  return std::optional(topic);
}

Error Topics::unknown_topic(std::string_view name) const {
  const auto topics = registry_.load();
  std::vector<std::string_view> names;
  for (const auto& entry : *topics) names.push_back(entry.first);
  const auto nearest = base::nearest(name, names);
  return {
      Errc::unknown_topic_or_partition,
      "no topic " + std::string(name) + " in " + environment_.directory +
          (nearest.empty() ? std::string("; create it with Admin::create_topic or `seriatim topic create`")
                           : "; did you mean " + std::string(nearest) + "?")};
}

Result<partition::PartitionLogPtr> Topics::partition_log(const TopicPtr& topic, PartitionId partition) {
  if (auto there = topic->check_partition(partition); !there) return there.error();
  auto log = topic->partitions[static_cast<std::size_t>(partition)]->log_ptr();
  if (!log || !environment_.is_read_only) return log;
  // Where the writer has moved the log start since, its files do not say.
  if (auto looked = static_cast<partition::TailingLog&>(**log).look_at_log_start(); !looked)
    return looked.error();
  return log;
}

std::vector<partition::PartitionPtr> Topics::open_partitions() const {
  std::vector<partition::PartitionPtr> open;
  if (environment_.is_read_only) return open;
  const auto all = registry_.load();
  for (const auto& [name, topic] : *all) {
    for (const auto& slot : topic->partitions) {
      if (auto log = slot->if_open())
        open.push_back(std::static_pointer_cast<partition::Partition>(std::move(log)));
    }
  }
  return open;
}

TopicPtr Topics::make_topic(const catalog::TopicRecord& record, const Topic* previous) {
  auto topic = std::make_shared<Topic>();
  topic->name = record.name;
  topic->id = record.topic_id;
  topic->overrides = ConfigMap(record.config.begin(), record.config.end());
  auto config = catalog::resolve_config(record.config);
  if (config) {
    topic->config = *config;
  } else {
    // Checked when it was stored; a rule that has changed since must not make the data unreachable.
    environment_.report(LogLevel::error, "topic " + record.name + ": " + config.error().message() +
                                             "; the defaults are in force");
  }
  if (previous != nullptr) topic->partitions = previous->partitions;
  for (PartitionId i = topic->partition_count(); i < record.partition_count; ++i) {
    topic->partitions.push_back(std::make_shared<PartitionSlot>(
        [this, name = record.name, id = record.topic_id, i] { return open_partition(name, id, i); }));
  }
  return topic;
}

Result<partition::PartitionLogPtr> Topics::open_partition(const std::string& name, const catalog::Id& id,
                                                          PartitionId index) const {
  auto record = environment_.catalog->topic(name);
  if (!record) return record.error();
  if (record->topic_id != id) {
    return Error(Errc::unknown_topic_or_partition,
                 "topic " + name + " was deleted and another of its name created; look the topic up again");
  }
  if (index >= record->partition_count) {
    return Error(Errc::unknown_topic_or_partition,
                 "topic " + name + " has no partition " + std::to_string(index));
  }
  auto config = catalog::resolve_config(record->config);
  return environment_.open_partition(
      {.name = {name, index},
       .topic_id = id,
       .config = config ? *config : TopicConfig{},
       .path = os::join_path(environment_.log_directory, format::partition_directory(name, index))});
}

Result<> Topics::read_catalog() {
  auto records = environment_.catalog->topics();
  if (!records) return records.error();
  auto map = std::make_shared<TopicMap>();
  for (const auto& record : *records) map->emplace(record.name, make_topic(record, nullptr));
  registry_.store(std::move(map));
  return {};
}

Result<> Topics::finish_deletion(const catalog::TopicRecord& deleted) {
  const DeletedTopicFiles remains{environment_.vfs, environment_.files, environment_.log_directory};
  if (auto removed = remains.remove(deleted.name, deleted.partition_count); !removed) return removed;
  return environment_.catalog->forget_deleted(deleted.topic_id);
}

Result<> Topics::finish_deletions() {
  auto deleted = environment_.catalog->deleted_topics();
  if (!deleted) return deleted.error();
  for (const auto& record : *deleted) {
    if (auto finished = finish_deletion(record); !finished) return finished;
  }
  return {};
}

Result<std::map<TopicPartition, Offset>> Topics::open_all_partitions() {
  std::map<TopicPartition, Offset> ends;
  const auto all = registry_.load();
  for (const auto& [name, topic] : *all) {
    for (PartitionId i = 0; i < topic->partition_count(); ++i) {
      auto end = topic->log_end_offset(i);
      if (!end) return end.error();
      ends[{name, i}] = *end;
    }
  }
  return ends;
}

std::vector<partition::PartitionPtr> Topics::close(const Error& why) {
  std::vector<partition::PartitionPtr> open;
  const auto all = registry_.load();
  for (const auto& [name, topic] : *all) {
    for (const auto& slot : topic->partitions) {
      if (auto log = slot->close(why))
        open.push_back(std::static_pointer_cast<partition::Partition>(std::move(log)));
    }
  }
  return open;
}

}  // namespace seriatim::directory
