// `Topics`: what an application changes of them.
#include <cstddef>
#include <utility>
#include <vector>

#include "base/boundary.hpp"
#include "catalog/records/topic_config_rules.hpp"
#include "directory/files/format_file.hpp"
#include "directory/topics/topics.hpp"
#include "format/topic_name.hpp"

namespace seriatim::directory {
namespace {

std::map<std::string, std::string> plain(const ConfigMap& config) { return {config.begin(), config.end()}; }

// Whether a topic is as NewTopic::if_not_exists asks for it.
// Errors: topic_already_exists: names what differs, with both values.
Result<> check_same_topic(const Topic& found, const NewTopic& wanted, const TopicConfig& config) {
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

// All memory first: what the catalog has stored is what the engine goes on with.
Result<> Topics::take_in(const catalog::TopicRecord& record, const std::function<Result<>()>& store) {
  const auto known_topics = registry_.load();
  auto map = std::make_shared<TopicMap>(*known_topics);
  const auto previous = map->find(record.name);
  auto topic = make_topic(record, previous == map->end() ? nullptr : previous->second.get());
  (*map)[record.name] = topic;
  std::vector<TopicConfig> configs(topic->partitions.size(), topic->config);
  if (auto stored = store(); !stored) return stored;
  registry_.store(std::move(map));
  environment_.tell_groups();
  for (std::size_t i = 0; i < configs.size(); ++i) {
    if (auto log = topic->partitions[i]->if_open())
      std::static_pointer_cast<partition::Partition>(log)->set_config(std::move(configs[i]));
  }
  return {};
}

Result<TopicCreation> Topics::create(const NewTopic& topic, const TopicConfig& config) {
  const base::MutexLock lock(mutex_);
  while (deleting_.contains(topic.name)) {
    deletion_ended_.wait(mutex_);
    if (auto usable = environment_.check_usable(); !usable) return usable.error();
  }
  if (topic.if_not_exists) {
    const auto known_topics = registry_.load();
    if (const auto found = known_topics->find(topic.name); found != known_topics->end()) {
      if (auto same = check_same_topic(*found->second, topic, config); !same) return same.error();
      return TopicCreation::existed_before;
    }
  }
  // One that is there already is the application's, and goes on.
  if (auto named = format::check_new_topic_name(topic.name); !named) return named.error();
  // The remains of a deleted topic of this name must be gone before its directories are used again.
  if (auto finished = finish_deletion_of(topic.name); !finished) return finished.error();
  const catalog::TopicRecord record{.name = topic.name,
                                    .topic_id = random_id(),
                                    .partition_count = topic.partition_count,
                                    .config = plain(topic.config),
                                    .created_ms = environment_.clock.wall_ms()};
  auto stored = take_in(record, [&] { return environment_.catalog->create_topic(record); });
  if (!stored) return stored.error();
  return TopicCreation::created;
}

// A step of maintenance that waits for the disk is broken off as soon as the disk answers. Until then the
// deletion waits without the mutex, which checkpoints and all other changes need.
Result<> Topics::remove(std::string_view name) {
  Names noted{std::string(name)};
  auto topic = begin_deletion(name, noted);
  if (!topic) return topic.error();
  const base::Undoing ending([&] { end_deletion((*topic)->name); });
  let_go_of(**topic);
  const base::MutexLock lock(mutex_);
  return environment_.reserve.spend_on([&] { return finish_deletion_of((*topic)->name); });
}

Result<TopicPtr> Topics::begin_deletion(std::string_view name, Names& noted) {
  const base::MutexLock lock(mutex_);
  auto topic = known(name);
  if (!topic) return topic;
  const auto known_topics = registry_.load();
  auto map = std::make_shared<TopicMap>(*known_topics);
  map->erase(std::string(name));
  auto marked = environment_.reserve.spend_on([&] { return environment_.catalog->mark_deleted(name); });
  if (!marked) return marked.error();
  deleting_.merge(noted);
  // Runs while the lock is held, which the compiler does not see.
  base::Undoing unnoted([&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS { deleting_.erase((*topic)->name); });
  environment_.forget_topic((*topic)->id);
  registry_.store(std::move(map));
  for (const auto& slot : (*topic)->partitions) {
    if (auto log = slot->if_open()) log->mark_deleted();
  }
  environment_.tell_groups();
  unnoted.keep();
  return topic;
}

void Topics::end_deletion(const std::string& name) {
  {
    const base::MutexLock lock(mutex_);
    deleting_.erase(name);
  }
  deletion_ended_.notify_all();
}

void Topics::await_deletions() {
  while (!deleting_.empty()) deletion_ended_.wait(mutex_);
}

void Topics::let_go_of(const Topic& topic) {
  for (const auto& slot : topic.partitions) {
    // Nobody who looked the topic up before may open it, and its files, anew.
    auto log = slot->close(Error(Errc::unknown_topic_or_partition,
                                 "the topic " + topic.name + " was deleted; look it up again"));
    if (!log) continue;
    deleted_segments_.add(std::static_pointer_cast<partition::Partition>(log)->abandon());
  }
}

Result<> Topics::finish_deletion_of(const std::string& name) {
  auto deleted = environment_.catalog->deleted_topics();
  if (!deleted) return deleted.error();
  for (const auto& record : *deleted) {
    if (record.name != name) continue;
    if (auto finished = finish_deletion(record); !finished) return finished;
  }
  return {};
}

Result<> Topics::add_partitions(std::string_view name, PartitionId total_count) {
  const base::MutexLock lock(mutex_);
  auto found = known(name);
  if (!found) return found.error();
  if (total_count <= (*found)->partition_count()) {
    return Error(Errc::invalid_partitions,
                 "topic " + std::string(name) + " has " + std::to_string((*found)->partition_count()) +
                     " partitions already; a new count must be higher, partitions are never taken away");
  }
  auto record = environment_.catalog->topic(name);
  if (!record) return record.error();
  record->partition_count = total_count;
  return take_in(*record, [&] { return environment_.catalog->set_partition_count(name, total_count); });
}

Result<> Topics::set_config(std::string_view name, const ConfigMap& config) {
  const base::MutexLock lock(mutex_);
  auto found = known(name);
  if (!found) return found.error();
  auto overrides = plain((*found)->overrides);
  for (const auto& [setting, value] : config) overrides[setting] = value;
  return change_overrides(name, overrides);
}

Result<> Topics::reset_config(std::string_view name, const std::vector<std::string>& settings) {
  const base::MutexLock lock(mutex_);
  auto found = known(name);
  if (!found) return found.error();
  auto overrides = plain((*found)->overrides);
  for (const auto& setting : settings) {
    if (auto is_one = catalog::config_text(TopicConfig{}, setting); !is_one) return is_one.error();
    overrides.erase(setting);
  }
  return change_overrides(name, overrides);
}

Result<> Topics::change_overrides(std::string_view name,
                                  const std::map<std::string, std::string>& overrides) {
  if (auto valid = catalog::resolve_config(overrides); !valid) return valid.error();
  auto record = environment_.catalog->topic(name);
  if (!record) return record.error();
  record->config = overrides;
  return take_in(*record, [&] {
    // Less retention is a way to win space.
    return environment_.reserve.spend_on(
        [&] { return environment_.catalog->set_config_overrides(name, overrides); });
  });
}

}  // namespace seriatim::directory
