// `ShareGroups`: share groups looked at and changed, and `Engine::share_groups`.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/exception.hpp>
#include <seriatim/share_group.hpp>

#include "api/admin_impl.hpp"
#include "api/share_group_check.hpp"
#include "base/moved_from.hpp"
#include "base/saturate.hpp"
#include "directory/engine_impl.hpp"
#include "group/share/share_config.hpp"
#include "partition/visible_end.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

Error unknown_share_group(std::string_view group) {
  return {Errc::group_id_not_found, "there is no share group " + std::string(group) +
                                        "; ShareGroups::list has the names (`seriatim share list`)"};
}

// A group of which somebody else changes the offsets would deliver what its members hold already.
Result<> change_without_members(detail::EngineImpl& engine, std::string_view group,
                                const std::function<Result<>()>& change) {
  return engine.share_groups.members().change_group(group, [&](std::size_t members) -> Result<> {
    if (members == 0) return change();
    return Error(Errc::non_empty_group, "share group " + std::string(group) + " has " +
                                            std::to_string(members) +
                                            " members in this process; close them first");
  });
}

// Durable on return.
Result<> replace_offsets(detail::EngineImpl& engine, std::string_view group,
                         const std::map<TopicPartition, Offset>& offsets) {
  std::uint64_t newest = 0;
  for (const auto& [at, offset] : offsets) {
    auto topic = engine.topic(at.topic);
    if (!topic) return topic.error();
    auto partition = engine.share_groups.partition(group, at, (*topic)->id);
    if (!partition) return partition.error();
    auto replaced = (*partition)->replace({.start_offset = offset});
    if (!replaced) return replaced.error();
    newest = std::max(newest, *replaced);
  }
  return newest == 0 ? Result<>() : engine.acknowledge(newest, Acks::all);
}

Result<> check_exists(detail::EngineImpl& engine, std::string_view group) {
  auto is_there = api::has_share_group(engine, group);
  if (!is_there) return is_there.error();
  return *is_there ? Result<>() : Result<>(unknown_share_group(group));
}

// Archived records behind the start are done.
std::int64_t finished_in(const group::DeliveryProgress& progress, Offset start, Offset end) {
  std::int64_t finished = 0;
  for (const auto& run : progress.runs) {
    const Offset first = std::max(run.offsets.first, start);
    const Offset last = std::min(run.offsets.last, end - 1);
    if (group::is_finished(run.state) && first <= last) finished += last - first + 1;
  }
  return finished;
}

// Locks are of the process that has the directory open for writing.
Result<std::int64_t> acquired_in(detail::EngineImpl& engine, std::string_view group, const TopicPartition& at,
                                 const catalog::Id& topic_id) {
  if (engine.is_read_only()) return std::int64_t{0};
  auto partition = engine.share_groups.partition(group, at, topic_id);
  if (!partition) return partition.error();
  const std::int64_t now_ms = base::ms_of_ns(engine.clock.monotonic_ns());
  return (*partition)->look([&](const group::ShareWindow& window) { return window.acquired(now_ms); });
}

Result<> measure(detail::EngineImpl& engine, const directory::TopicPtr& topic, IsolationLevel isolation,
                 ShareGroupOffset& of) {
  auto log = engine.topics.partition_log(topic, of.topic_partition.partition);
  if (!log) return log.error();
  if (auto refreshed = (*log)->refresh(); !refreshed) return refreshed.error();
  of.end_offset = partition::visible_end(**log, isolation);
  of.start_offset = std::max(of.start_offset, (*log)->log_start_offset());
  return {};
}

// Nothing: the topic is gone.
Result<std::optional<ShareGroupOffset>> measured(detail::EngineImpl& engine,
                                                 const ShareGroupDescription& group,
                                                 const group::ShareProgress& known) {
  const auto topics = engine.topics.load();
  const auto topic = std::find_if(topics->begin(), topics->end(),
                                  [&](const auto& entry) { return entry.second->id == known.topic_id; });
  if (topic == topics->end() || known.partition >= topic->second->partition_count())
    return std::optional<ShareGroupOffset>();
  ShareGroupOffset of{.topic_partition = {topic->first, known.partition},
                      .start_offset = known.progress.start_offset};
  auto acquired = acquired_in(engine, group.group_id, of.topic_partition, known.topic_id);
  if (!acquired) return acquired.error();
  of.acquired = *acquired;
  if (auto done = measure(engine, topic->second, group.config.isolation_level, of); !done) {
    if (!detail::AdminImpl::is_damage(done.error())) return done.error();
    of.damage = done.error().message();
    return std::optional(std::move(of));
  }
  of.lag = std::max<std::int64_t>(
      of.end_offset - of.start_offset - finished_in(known.progress, of.start_offset, of.end_offset), 0);
  return std::optional(std::move(of));
}

}  // namespace

Result<ShareGroups> Engine::share_groups() const {
  if (!impl_) return base::moved_from("Engine");
  if (auto usable = impl_->check_usable(); !usable) return usable.error();
  return ShareGroups(impl_);
}

ShareGroups::ShareGroups(std::shared_ptr<detail::EngineImpl> engine) noexcept : engine_(std::move(engine)) {}

Result<std::vector<std::string>> ShareGroups::list() const try {
  if (!engine_) return base::moved_from("ShareGroups");
  if (auto usable = engine_->check_usable(); !usable) return usable.error();
  return engine_->share_groups.groups();
} catch (...) {
  return current_error();
}

Result<ShareGroupDescription> ShareGroups::describe(std::string_view group_id) const try {
  if (!engine_) return base::moved_from("ShareGroups");
  if (auto usable = engine_->check_usable(); !usable) return usable.error();
  if (auto there = check_exists(*engine_, group_id); !there) return there.error();
  auto& registry = engine_->share_groups;
  ShareGroupDescription description{.group_id = std::string(group_id)};
  auto stored = registry.settings(group_id);
  if (!stored) return stored.error();
  auto config = group::parse_stored_settings(*stored);
  if (!config) return config.error();
  description.config = *std::move(config);
  description.members = registry.members().count(group_id);
  description.state = description.members == 0 ? ShareGroupState::empty : ShareGroupState::stable;
  auto progress = registry.progress_of(group_id);
  if (!progress) return progress.error();
  for (const auto& known : *progress) {
    auto of = measured(*engine_, description, known);
    if (!of) return of.error();
    if (*of) description.offsets.push_back(**std::move(of));
  }
  std::sort(description.offsets.begin(), description.offsets.end(),
            [](const auto& a, const auto& b) { return a.topic_partition < b.topic_partition; });
  return description;
} catch (...) {
  return current_error();
}

Result<> ShareGroups::alter_config(std::string_view group_id,
                                   const std::map<std::string, std::string, std::less<>>& changes) const try {
  if (!engine_) return base::moved_from("ShareGroups");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  if (auto checked = api::check_share_group(*engine_, group_id); !checked) return checked;
  auto& registry = engine_->share_groups;
  return registry.members().change_settings(group_id, [&]() -> Result<ShareGroupConfig> {
    auto settings = registry.settings(group_id);
    if (!settings) return settings.error();
    group::ShareSettings wanted;
    for (const auto& [name, value] : changes) {
      if (value.empty()) {
        settings->erase(name);
      } else {
        (*settings)[name] = value;
      }
      wanted[name] = value;
    }
    if (auto legal = group::check_setting_names(wanted); !legal) return legal.error();
    auto config = group::parse_stored_settings(*settings);
    if (!config) return config.error();
    if (auto stored = registry.set_settings(group_id, *settings); !stored) return stored.error();
    return config;
  });
} catch (...) {
  return current_error();
}

Result<> ShareGroups::alter_offsets(std::string_view group_id,
                                    const std::map<TopicPartition, Offset>& offsets) const try {
  if (!engine_) return base::moved_from("ShareGroups");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  if (auto checked = api::check_share_group(*engine_, group_id); !checked) return checked;
  for (const auto& [at, offset] : offsets) {
    auto log = engine_->partition_log(at.topic, at.partition);
    if (!log) return log.error();
    const Offset end = (*log)->high_watermark();
    if (offset >= 0 && offset <= end) continue;
    return Error(Errc::invalid_argument, "share group " + std::string(group_id) + " cannot begin at offset " +
                                             std::to_string(offset) + " of " + at.topic + "-" +
                                             std::to_string(at.partition) + "; choose 0 to " +
                                             std::to_string(end));
  }
  return change_without_members(*engine_, group_id,
                                [&] { return replace_offsets(*engine_, group_id, offsets); });
} catch (...) {
  return current_error();
}

Result<> ShareGroups::delete_offsets(std::string_view group_id, std::string_view topic_name) const try {
  if (!engine_) return base::moved_from("ShareGroups");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  if (auto there = check_exists(*engine_, group_id); !there) return there;
  auto topic = engine_->topic(topic_name);
  if (!topic) return topic.error();
  std::vector<TopicPartition> places;
  for (PartitionId i = 0; i < (*topic)->partition_count(); ++i) places.push_back({(*topic)->name, i});
  return change_without_members(*engine_, group_id, [&] {
    return engine_->share_groups.forget_partitions(group_id, (*topic)->id, places);
  });
} catch (...) {
  return current_error();
}

Result<> ShareGroups::remove(std::string_view group_id) const try {
  if (!engine_) return base::moved_from("ShareGroups");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  if (auto there = check_exists(*engine_, group_id); !there) return there;
  auto& registry = engine_->share_groups;
  // A consumer that has not subscribed yet holds the settings: they end with the group.
  return change_without_members(*engine_, group_id, [&] {
    return registry.members().change_settings(group_id, [&]() -> Result<ShareGroupConfig> {
      auto forgotten = registry.forget_group(group_id);
      return forgotten ? Result<ShareGroupConfig>(ShareGroupConfig()) : forgotten.error();
    });
  });
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim
