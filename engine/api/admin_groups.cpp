// `Admin`: positions in the log, housekeeping on request, and the stored offsets of groups.
#include <seriatim/admin.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include <seriatim/exception.hpp>

#include "api/admin_impl.hpp"
#include "api/share_group_check.hpp"
#include "base/moved_from.hpp"
#include "directory/background.hpp"
#include "directory/consumption.hpp"
#include "directory/engine_impl.hpp"
#include "directory/option_rules.hpp"
#include "partition/compaction/compaction.hpp"
#include "partition/read/first_committed.hpp"
#include "partition/read/time_lookup.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

// Fills in the offsets of the partition and the lag behind the committed one.
Result<> measure_lag(detail::EngineImpl& engine, const directory::TopicPtr& topic, GroupLag& of) {
  auto log = engine.topics.partition_log(topic, of.topic_partition.partition);
  if (!log) return log.error();
  if (auto refreshed = (*log)->refresh(); !refreshed) return refreshed.error();
  of.log_start_offset = (*log)->log_start_offset();
  of.end_offset = (*log)->last_stable_offset();
  const Offset from = std::max(of.committed ? of.committed->offset : Offset{0}, of.log_start_offset);
  // A position may be set behind an open transaction.
  of.lag = std::max<std::int64_t>(of.end_offset - from, 0);
  if (of.lag == 0) return {};
  auto next = partition::find_first_committed(*log, from, of.end_offset);
  if (!next) return next.error();
  if (!*next) of.lag = 0;
  return {};
}

using CommittedByPlace = std::map<TopicPartition, catalog::CommittedOffset>;

Result<> add_lags(detail::EngineImpl& engine, const directory::TopicPtr& topic, const std::string& name,
                  const CommittedByPlace& committed, std::vector<GroupLag>& lags) {
  for (PartitionId i = 0; i < topic->partition_count(); ++i) {
    GroupLag of{.topic_partition = {name, i}};
    if (const auto found = committed.find(of.topic_partition); found != committed.end()) {
      of.committed = OffsetAndMetadata{found->second.offset, found->second.metadata};
      of.commit_time = Timestamp{std::chrono::milliseconds{found->second.commit_time_ms}};
    }
    if (auto measured = measure_lag(engine, topic, of); !measured) {
      if (!detail::AdminImpl::is_damage(measured.error())) return measured;
      of.damage = measured.error().message();
    }
    lags.push_back(std::move(of));
  }
  return {};
}

}  // namespace

Result<Offset> Admin::delete_records(const TopicPartition& at, Offset before) const try {
  if (!engine_) return base::moved_from("Admin");
  auto partition = engine_->partition(at.topic, at.partition);
  if (!partition) return partition.error();
  if ((*partition)->config().cleanup_policy == CleanupPolicy::compact) {
    return Error(Errc::policy_violation, "topic " + at.topic +
                                             " has cleanup.policy=compact, which keeps the newest record of "
                                             "every key; records can be deleted by offset "
                                             "only where the policy contains delete");
  }
  const Offset end = (*partition)->last_stable_offset();
  const Offset target = before == -1 ? end : before;
  if (target < 0 || target > end) {
    return Error(Errc::offset_out_of_range,
                 "cannot delete the records before offset " + std::to_string(before) + " of " + at.topic +
                     "-" + std::to_string(at.partition) + ": the last stable offset is " +
                     std::to_string(end) +
                     "; what lies behind it is there when no transaction is open there any more");
  }
  const Offset start = (*partition)->log_start_offset();
  if (target <= start) return start;
  {
    // Durable before it takes effect: a log start that a crash took back would make deleted records readable
    // again.
    const base::MutexLock lock(engine_->topics.mutex());
    if ((*partition)->is_deleted()) {
      return Error(Errc::unknown_topic_or_partition,
                   "topic " + at.topic + " was deleted while its records were to be; nothing is left to do");
    }
    auto states = engine_->catalog->partition_states(at.topic);
    if (!states) return states.error();
    auto state = (*states)[static_cast<std::size_t>(at.partition)];
    state.log_start_offset = std::max(state.log_start_offset, target);
    auto stored = engine_->reserve.spend_on([&] {
      return engine_->catalog->put_partition_states({{at, state}});
    });
    if (!stored) return stored.error();
    if (auto moved = (*partition)->advance_log_start(target); !moved) return moved.error();
  }
  return target;
} catch (...) {
  return current_error();
}

Result<Offset> Admin::list_offset(const TopicPartition& at, OffsetSpec spec) const try {
  if (!engine_) return base::moved_from("Admin");
  static constexpr directory::Choice specs[] = {
      {"earliest", static_cast<std::int64_t>(OffsetSpec::earliest)},
      {"latest", static_cast<std::int64_t>(OffsetSpec::latest)},
      {"max_timestamp", static_cast<std::int64_t>(OffsetSpec::max_timestamp)}};
  if (auto checked = directory::check_choice("OffsetSpec", static_cast<std::int64_t>(spec), specs); !checked)
    return checked.error();
  auto log = engine_->partition_log(at.topic, at.partition);
  if (!log) return log.error();
  if (auto refreshed = (*log)->refresh(); !refreshed) return refreshed.error();
  if (spec == OffsetSpec::earliest) return (*log)->log_start_offset();
  if (spec == OffsetSpec::latest) return (*log)->high_watermark();
  auto found = partition::find_max_timestamp(*log);
  if (!found) return found.error();
  return *found ? (*found)->offset : Offset{-1};
} catch (...) {
  return current_error();
}

Result<std::optional<OffsetAndTimestamp>> Admin::offset_for_time(const TopicPartition& at,
                                                                 Timestamp time) const try {
  if (!engine_) return base::moved_from("Admin");
  const std::int64_t time_ms = time.time_since_epoch().count();
  if (time_ms < 0) {
    return Error(Errc::invalid_argument, "cannot look for the time " + std::to_string(time_ms) + " ms in " +
                                             at.topic + "-" + std::to_string(at.partition) +
                                             "; times are milliseconds since 1970, 0 or more");
  }
  auto log = engine_->partition_log(at.topic, at.partition);
  if (!log) return log.error();
  if (auto refreshed = (*log)->refresh(); !refreshed) return refreshed.error();
  return partition::find_offset_for_time(*log, time_ms, (*log)->high_watermark());
} catch (...) {
  return current_error();
}

Result<MaintenanceResult> Admin::apply_retention(std::string_view name, bool roll_active) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable.error();
  auto topic = engine_->topic(name);
  if (!topic) return topic.error();
  MaintenanceResult total;
  for (PartitionId i = 0; i < (*topic)->partition_count(); ++i) {
    auto partition = engine_->partition(name, i);
    if (!partition) return partition.error();
    if (roll_active) {
      if (auto rolled = (*partition)->roll(); !rolled) return rolled.error();
    }
    auto deleted = directory::apply_retention_to(*engine_, **partition, partition::IfBusy::wait);
    if (!deleted) return deleted.error();
    total.deleted_segments += deleted->segments;
    total.deleted_bytes += deleted->bytes;
  }
  return total;
} catch (...) {
  return current_error();
}

Result<MaintenanceResult> Admin::compact(std::string_view name, bool roll_active) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable.error();
  auto topic = engine_->topic(name);
  if (!topic) return topic.error();
  if ((*topic)->config.cleanup_policy == CleanupPolicy::delete_) {
    return Error(Errc::policy_violation, "topic " + std::string(name) +
                                             " has cleanup.policy=delete; set it to compact or "
                                             "compact,delete first, with Admin::alter_config or "
                                             "`seriatim topic alter`");
  }
  for (PartitionId i = 0; i < (*topic)->partition_count(); ++i) {
    auto partition = engine_->partition(name, i);
    if (!partition) return partition.error();
    if (!roll_active) continue;
    if (auto rolled = (*partition)->roll(); !rolled) return rolled.error();
  }
  // Compaction takes only what lies below the recovery points in the catalog.
  if (auto stored = engine_->checkpointer->checkpoint(); !stored) return stored.error();
  MaintenanceResult total;
  for (PartitionId i = 0; i < (*topic)->partition_count(); ++i) {
    auto partition = engine_->partition(name, i);
    if (!partition) return partition.error();
    auto compacted = partition::compact(**partition, {.force = true, .should_stop = [engine = engine_.get()] {
                                                        return engine->closed.load();
                                                      }});
    if (!compacted) return compacted.error();
    total.compacted_segments += compacted->segments_before;
    total.deleted_segments += compacted->segments_before - compacted->segments_after;
    total.deleted_bytes += compacted->bytes_before - compacted->bytes_after;
    total.removed_records += compacted->removed_records;
  }
  // How far compaction came is stored at once: it tells later opens that offsets may be missing there.
  if (auto stored = engine_->checkpointer->checkpoint(); !stored) return stored.error();
  return total;
} catch (...) {
  return current_error();
}

Result<> Admin::pause_maintenance() const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  engine_->background->worker_pace().pause();
  return {};
} catch (...) {
  return current_error();
}

Result<> Admin::resume_maintenance() const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  engine_->background->worker_pace().resume();
  return {};
} catch (...) {
  return current_error();
}

Result<std::vector<GroupOffset>> Admin::group_offsets(std::string_view group) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto usable = engine_->check_usable(); !usable) return usable.error();
  auto stored = engine_->committed_offsets.of_group(group);
  if (!stored) return stored.error();
  std::vector<GroupOffset> offsets;
  for (auto& [at, committed] : *stored) {
    GroupOffset offset{.topic_partition = at,
                       .committed = {committed.offset, std::move(committed.metadata)},
                       .commit_time = Timestamp{std::chrono::milliseconds{committed.commit_time_ms}},
                       .log_end_offset = -1};
    auto log = engine_->partition_log(at.topic, at.partition);
    const auto refreshed = log ? (*log)->refresh() : Result<>(log.error());
    if (refreshed) {
      offset.log_end_offset = (*log)->log_end_offset();
    } else if (refreshed.error().code() != Errc::unknown_topic_or_partition &&
               !detail::AdminImpl::is_damage(refreshed.error())) {
      return refreshed.error();
    }
    offsets.push_back(std::move(offset));
  }
  return offsets;
} catch (...) {
  return current_error();
}

Result<std::vector<GroupLag>> Admin::group_lag(std::string_view group) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto usable = engine_->check_usable(); !usable) return usable.error();
  // Before the logs are looked at: what is committed is never beyond an end that is looked up later.
  auto committed = engine_->committed_offsets.of_group(group);
  if (!committed) return committed.error();
  std::set<std::string> names;
  for (const auto& entry : *committed) names.insert(entry.first.topic);
  std::vector<GroupLag> lags;
  for (const std::string& name : names) {
    auto topic = engine_->topic(name);
    // Deleted since, and its offsets with it.
    if (!topic && topic.error().code() == Errc::unknown_topic_or_partition) continue;
    if (!topic) return topic.error();
    if (auto added = add_lags(*engine_, *topic, name, *committed, lags); !added) return added.error();
  }
  return lags;
} catch (...) {
  return current_error();
}

Result<> Admin::alter_group_offsets(std::string_view group, const TopicPartitionOffsets& offsets) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  if (auto empty = engine_->groups.check_empty(group); !empty) return empty;
  if (auto checked = api::check_consumer_group(*engine_, group); !checked) return checked;
  if (auto stored = engine_->committed_offsets.commit(group, offsets, Acks::all); !stored) return stored;
  engine_->counters.offset_commits.add(offsets.size());
  return {};
} catch (...) {
  return current_error();
}

Result<> Admin::delete_group(std::string_view group) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  if (auto empty = engine_->groups.check_empty(group); !empty) return empty;
  return engine_->committed_offsets.delete_group(group);
} catch (...) {
  return current_error();
}

Result<> Admin::delete_group_offsets(std::string_view group,
                                     const std::vector<TopicPartition>& partitions) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  for (const TopicPartition& at : partitions) {
    auto topic = engine_->topic(at.topic);
    if (!topic) return topic.error();
    if (auto there = (*topic)->check_partition(at.partition); !there) return there;
  }
  return engine_->committed_offsets.forget_positions(group, partitions);
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim
