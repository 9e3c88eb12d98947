// `Admin`: topics. Offsets of groups are in admin_groups.cpp. Every change is in the catalog, durable, before
// it takes effect in memory.
#include <seriatim/admin.hpp>

#include <algorithm>
#include <utility>

#include <seriatim/exception.hpp>

#include "api/admin_impl.hpp"
#include "base/boundary.hpp"
#include "base/moved_from.hpp"
#include "base/text.hpp"
#include "catalog/records/topic_config_rules.hpp"
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

std::map<std::string, std::string> plain(const ConfigMap& config) { return {config.begin(), config.end()}; }

// Whether a topic is as NewTopic::if_not_exists asks for it.
// Errors: topic_already_exists: names what differs, with both values.
Result<> check_same_topic(const directory::Topic& found, const NewTopic& wanted, const TopicConfig& config) {
  const std::string is_there = "topic \"" + found.name + "\" exists already, with ";
  const PartitionId count = found.partition_count();
  if (count != wanted.partition_count) {
    return Error(Errc::topic_already_exists,
                 is_there + std::to_string(count) + (count == 1 ? " partition, and " : " partitions, and ") +
                     std::to_string(wanted.partition_count) + " are asked for; ask for " +
                     std::to_string(count) +
                     (count < wanted.partition_count ? ", or raise the count with Admin::create_partitions"
                                                     : ": partitions are never taken away"));
  }
  for (const auto& setting : wanted.config) {
    const std::string& name = setting.first;
    auto has = catalog::config_text(found.config, name);
    if (!has) return has.error();
    auto asked = catalog::config_text(config, name);
    if (!asked) return asked.error();
    if (*has == *asked) continue;
    std::string message = is_there;
    message.append(name).append("=").append(*has).append(", and ").append(name).append("=").append(*asked);
    message += " is asked for; ask for what it has, or change it with Admin::alter_config";
    return Error(Errc::topic_already_exists, std::move(message));
  }
  return {};
}

}  // namespace

namespace detail {

// All memory first: what the catalog has stored is what the engine goes on with.
Result<> AdminImpl::store_topic(EngineImpl& engine, const catalog::TopicRecord& record,
                                const std::function<Result<>()>& store) {
  const auto known = engine.topics.load();
  auto map = std::make_shared<directory::TopicMap>(*known);
  const auto previous = map->find(record.name);
  auto topic = engine.make_topic(record, previous == map->end() ? nullptr : previous->second.get());
  (*map)[record.name] = topic;
  if (auto stored = store(); !stored) return stored;
  engine.topics.store(std::move(map));
  engine.groups.topics_changed();
  for (const auto& slot : topic->partitions) {
    if (auto log = slot->if_open())
      std::static_pointer_cast<partition::Partition>(log)->set_config(topic->config);
  }
  return {};
}

Result<directory::TopicPtr> AdminImpl::begin_deletion(EngineImpl& engine, std::string_view name,
                                                      std::set<std::string, std::less<>>& noted) {
  const base::MutexLock lock(engine.admin_mutex);
  auto topic = engine.topic(name);
  if (!topic) return topic;
  const auto known = engine.topics.load();
  auto map = std::make_shared<directory::TopicMap>(*known);
  map->erase(std::string(name));
  auto marked = engine.reserve.spend_on([&] { return engine.catalog->mark_deleted(name); });
  if (!marked) return marked.error();
  engine.deleting.merge(noted);
  base::Undoing unnoted([&] { engine.deleting.erase((*topic)->name); });
  engine.committed_offsets.forget_topic((*topic)->id);
  engine.topics.store(std::move(map));
  for (const auto& slot : (*topic)->partitions) {
    if (auto log = slot->if_open()) log->mark_deleted();
  }
  engine.groups.topics_changed();
  unnoted.keep();
  return topic;
}

void AdminImpl::let_go_of(EngineImpl& engine, const directory::Topic& topic) {
  for (const auto& slot : topic.partitions) {
    // Nobody who looked the topic up before may open it, and its files, anew.
    auto log = slot->close(Error(Errc::unknown_topic_or_partition,
                                 "the topic " + topic.name + " was deleted; look it up again"));
    if (!log) continue;
    engine.deleted_segments.add(std::static_pointer_cast<partition::Partition>(log)->abandon());
  }
}

Result<> AdminImpl::finish_deletion_of(EngineImpl& engine, const std::string& name) {
  auto deleted = engine.catalog->deleted_topics();
  if (!deleted) return deleted.error();
  for (const auto& record : *deleted) {
    if (record.name != name) continue;
    if (auto removed = engine.remove_topic_files(record.name, record.partition_count); !removed)
      return removed;
    if (auto forgotten = engine.catalog->forget_deleted(record.topic_id); !forgotten) return forgotten;
  }
  return {};
}

Result<> AdminImpl::change_overrides(EngineImpl& engine, std::string_view topic,
                                     const std::map<std::string, std::string>& overrides) {
  if (auto valid = catalog::resolve_config(overrides); !valid) return valid.error();
  auto record = engine.catalog->topic(topic);
  if (!record) return record.error();
  record->config = overrides;
  return store_topic(engine, *record, [&] {
    // Less retention is a way to win space.
    return engine.reserve.spend_on([&] { return engine.catalog->set_config_overrides(topic, overrides); });
  });
}

}  // namespace detail

using detail::AdminImpl;

Admin::Admin(std::shared_ptr<detail::EngineImpl> engine) noexcept : engine_(std::move(engine)) {}

Result<TopicCreation> Admin::create_topic(const NewTopic& topic) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable.error();
  if (auto named = format::check_topic_name(topic.name); !named) return named.error();
  if (auto counted = check_partition_count(topic.partition_count); !counted) return counted.error();
  const auto config = catalog::resolve_config(plain(topic.config));
  if (!config) return config.error();
  const base::MutexLock lock(engine_->admin_mutex);
  while (engine_->deleting.contains(topic.name)) {
    engine_->deletion_ended.wait(engine_->admin_mutex);
    if (auto writable = engine_->check_writable(); !writable) return writable.error();
  }
  if (topic.if_not_exists) {
    const auto known = engine_->topics.load();
    if (const auto found = known->find(topic.name); found != known->end()) {
      if (auto same = check_same_topic(*found->second, topic, *config); !same) return same.error();
      return TopicCreation::existed_before;
    }
  }
  // One that is there already is the application's, and goes on.
  if (auto named = format::check_new_topic_name(topic.name); !named) return named.error();
  // The remains of a deleted topic of this name must be gone before its directories are used again.
  if (auto finished = AdminImpl::finish_deletion_of(*engine_, topic.name); !finished) return finished.error();
  catalog::TopicRecord record{.name = topic.name,
                              .topic_id = directory::random_id(),
                              .partition_count = topic.partition_count,
                              .config = plain(topic.config),
                              .created_ms = engine_->clock.wall_ms()};
  auto stored =
      AdminImpl::store_topic(*engine_, record, [&] { return engine_->catalog->create_topic(record); });
  if (!stored) return stored.error();
  return TopicCreation::created;
} catch (...) {
  return current_error();
}

// A step of maintenance that waits for the disk is broken off as soon as the disk answers. Until then the
// deletion waits without the admin mutex, which checkpoints and all other changes need.
Result<> Admin::delete_topic(std::string_view name) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  std::set<std::string, std::less<>> noted{std::string(name)};
  auto topic = AdminImpl::begin_deletion(*engine_, name, noted);
  if (!topic) return topic.error();
  const auto end = [&] {
    {
      const base::MutexLock lock(engine_->admin_mutex);
      engine_->deleting.erase((*topic)->name);
    }
    engine_->deletion_ended.notify_all();
  };
  const base::Undoing ending(end);
  AdminImpl::let_go_of(*engine_, **topic);
  const base::MutexLock lock(engine_->admin_mutex);
  return engine_->reserve.spend_on([&] { return AdminImpl::finish_deletion_of(*engine_, (*topic)->name); });
} catch (...) {
  return current_error();
}

Result<> Admin::create_partitions(std::string_view topic, PartitionId total_count) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  if (auto counted = check_partition_count(total_count); !counted) return counted;
  const base::MutexLock lock(engine_->admin_mutex);
  auto found = engine_->topic(topic);
  if (!found) return found.error();
  if (total_count <= (*found)->partition_count()) {
    return Error(Errc::invalid_partitions,
                 "topic " + std::string(topic) + " has " + std::to_string((*found)->partition_count()) +
                     " partitions already; a new count must be higher, partitions are never taken away");
  }
  auto record = engine_->catalog->topic(topic);
  if (!record) return record.error();
  record->partition_count = total_count;
  return AdminImpl::store_topic(*engine_, *record,
                                [&] { return engine_->catalog->set_partition_count(topic, total_count); });
} catch (...) {
  return current_error();
}

Result<> Admin::alter_config(std::string_view topic, const ConfigMap& config) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  const base::MutexLock lock(engine_->admin_mutex);
  auto found = engine_->topic(topic);
  if (!found) return found.error();
  auto overrides = plain((*found)->overrides);
  for (const auto& [name, value] : config) overrides[name] = value;
  return AdminImpl::change_overrides(*engine_, topic, overrides);
} catch (...) {
  return current_error();
}

Result<> Admin::reset_config(std::string_view topic, const std::vector<std::string>& names) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  const base::MutexLock lock(engine_->admin_mutex);
  auto found = engine_->topic(topic);
  if (!found) return found.error();
  auto overrides = plain((*found)->overrides);
  for (const auto& name : names) {
    if (auto known = catalog::config_text(TopicConfig{}, name); !known) return known.error();
    overrides.erase(name);
  }
  return AdminImpl::change_overrides(*engine_, topic, overrides);
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

}  // namespace v0
}  // namespace seriatim
