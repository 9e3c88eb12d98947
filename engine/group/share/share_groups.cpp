#include "group/share/share_groups.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/boundary.hpp"
#include "catalog/records/share_rows.hpp"
#include "catalog/stored_share.hpp"

namespace seriatim::group {
namespace {

Result<> check_settings(std::string_view group, const ShareSettings& settings) {
  constexpr std::size_t text_bytes_max = std::numeric_limits<std::uint16_t>::max();
  const bool fits = settings.size() <= text_bytes_max &&
                    std::all_of(settings.begin(), settings.end(), [](const auto& setting) {
                      return !setting.first.empty() && setting.first.size() <= text_bytes_max &&
                             setting.second.size() <= text_bytes_max;
                    });
  std::size_t bytes = 0;
  for (const auto& [name, value] : settings) bytes += name.size() + value.size() + 4;
  if (fits && bytes < catalog::payload_bytes_max) return {};
  return Error(Errc::invalid_argument, "the settings of share group \"" + std::string(group) +
                                           "\" cannot be stored: names have 1 to 65,535 bytes, values at "
                                           "most that, and all together less than 1 MiB");
}

}  // namespace

ShareGroups::ShareGroups(ShareEnvironment environment) : environment_(std::move(environment)) {}

Result<SharePartitionPtr> ShareGroups::partition(std::string_view group, const TopicPartition& at,
                                                 const catalog::Id& topic_id) {
  if (auto named = catalog::check_group_name(group); !named) return named.error();
  const base::MutexLock lock(mutex_);
  return load(group, at, topic_id);
}

// With the mutex held over the look: the group may be forgotten meanwhile, and the row with it.
Result<SharePartitionPtr> ShareGroups::load(std::string_view group, const TopicPartition& at,
                                            const catalog::Id& topic_id) {
  Key key{std::string(group), topic_id, at.partition};
  if (const auto found = partitions_.find(key); found != partitions_.end()) return found->second;
  auto made = std::make_shared<SharePartition>(
      SharePartitionEnvironment{
          .journal = environment_.journal, .changed = changed_, .admit = environment_.admit},
      key.group, at, topic_id);
  if (!forgotten_.find(key.group)) {
    const auto row = catalog::share_progress(*environment_.catalog, group, topic_id, at.partition);
    if (!row) return row.error();
    if (*row) {
      const auto stored = decode_share_row(**row);
      if (!stored) return stored.error().with_context("share group \"" + key.group + "\"");
      made->restore(*stored);
    }
  }
  return partitions_.emplace(std::move(key), std::move(made)).first->second;
}

std::vector<SharePartitionPtr> ShareGroups::loaded_of(std::string_view group) const {
  std::vector<SharePartitionPtr> loaded;
  for (auto at = partitions_.lower_bound({std::string(group), {}, {}});
       at != partitions_.end() && at->first.group == group; ++at)
    loaded.push_back(at->second);
  return loaded;
}

Result<std::vector<ShareProgress>> ShareGroups::progress_of(std::string_view group) const {
  const base::MutexLock lock(mutex_);
  return find_progress(group);
}

Result<std::vector<ShareProgress>> ShareGroups::find_progress(std::string_view group) const {
  using Place = std::pair<catalog::Id, PartitionId>;
  std::map<Place, std::optional<DeliveryProgress>> found;
  for (const auto& loaded : loaded_of(group)) {
    auto& progress = found[{loaded->topic_id(), loaded->at().partition}];
    if (loaded->has_begun())
      progress = loaded->look([](const ShareWindow& window) { return window.progress(); });
  }
  if (!forgotten_.find(std::string(group))) {
    const auto rows = catalog::share_progress_of(*environment_.catalog, group);
    if (!rows) return rows.error();
    for (const auto& row : *rows) {
      if (found.contains({row.topic_id, row.partition})) continue;
      auto stored = decode_share_row(row.payload);
      if (!stored) return stored.error().with_context("share group \"" + std::string(group) + "\"");
      found[{row.topic_id, row.partition}] = *std::move(stored);
    }
  }
  std::vector<ShareProgress> progress;
  for (auto& [place, known] : found) {
    if (known) progress.push_back({place.first, place.second, *std::move(known)});
  }
  return progress;
}

Result<std::optional<Offset>> ShareGroups::needed_from(std::string_view group,
                                                       const TopicPartition& at) const {
  auto topic_id = environment_.topic_id(at.topic);
  if (!topic_id) return topic_id.error();
  const auto known = progress_of(group);
  if (!known) return known.error();
  const auto found = std::find_if(known->begin(), known->end(), [&](const ShareProgress& progress) {
    return progress.topic_id == *topic_id && progress.partition == at.partition;
  });
  if (found == known->end()) return std::optional<Offset>();
  return std::optional(found->progress.start_offset);
}

std::uint64_t ShareGroups::progress_lsn() const {
  return environment_.journal == nullptr ? 0 : environment_.journal->stats().staged_lsn;
}

// A group that the catalog has may have been forgotten since, as a whole or a partition at a time.
Result<std::vector<std::string>> ShareGroups::groups() const {
  const base::MutexLock lock(mutex_);
  auto stored = catalog::share_groups(*environment_.catalog);
  if (!stored) return stored.error();
  std::set<std::string> names(stored->begin(), stored->end());
  for (const auto& [key, partition] : partitions_) names.insert(key.group);
  for (std::string from;;) {
    const auto page = settings_.page(from, Settings::page_entries_max);
    for (const auto& [group, entry] : page) names.insert(group);
    if (page.size() < Settings::page_entries_max) break;
    from = page.back().first + '\0';
  }
  std::vector<std::string> found;
  for (const std::string& name : names) {
    const auto progress = find_progress(name);
    if (!progress) return progress.error();
    const auto settings = find_settings(name);
    if (!settings) return settings.error();
    if (!progress->empty() || !settings->empty()) found.push_back(name);
  }
  return found;
}

// The partitions are held meanwhile: none has a frame behind the one of the end without beginning again.
Result<> ShareGroups::forget_group(std::string_view group) {
  if (auto named = catalog::check_group_name(group); !named) return named;
  if (auto admitted = environment_.admit(); !admitted) return admitted;
  std::uint64_t lsn = 0;
  {
    const base::MutexLock lock(mutex_);
    std::vector<std::byte> payload;
    format::encode_journal_share_group({.group = group, .is_forgotten = true, .config = {}}, payload);
    Forgotten::Entries end;
    end[std::string(group)];
    Settings::Entries none;
    none[std::string(group)];
    const auto loaded = loaded_of(group);
    base::Undoing let_go([&] {
      for (const auto& partition : loaded) partition->go_on();
    });
    for (const auto& partition : loaded) partition->hold();
    const auto staged = forgotten_.enter_staged(end, [&] {
      return environment_.journal->stage(
          journal::StagedFrame::encoded(format::JournalFrameType::share_group, payload));
    });
    if (!staged) return staged.error();
    let_go.keep();
    for (const auto& partition : loaded) partition->end(*staged);
    settings_.enter(none, *staged);
    lsn = *staged;
  }
  return environment_.acknowledge(lsn, Acks::all);
}

Result<> ShareGroups::forget_partitions(std::string_view group, const catalog::Id& topic_id,
                                        std::span<const TopicPartition> places) {
  std::uint64_t newest = 0;
  for (const TopicPartition& at : places) {
    const auto found = partition(group, at, topic_id);
    if (!found) return found.error();
    const auto lsn = (*found)->forget();
    if (!lsn) return lsn.error();
    newest = std::max(newest, *lsn);
  }
  return newest == 0 ? Result<>() : environment_.acknowledge(newest, Acks::all);
}

void ShareGroups::forget_topic(const catalog::Id& topic_id) {
  const base::MutexLock lock(mutex_);
  std::erase_if(partitions_, [&](const auto& entry) { return entry.first.topic_id == topic_id; });
}

Result<std::size_t> ShareGroups::lower(const std::map<TopicPartition, Offset>& log_ends) {
  const base::MutexLock lock(mutex_);
  const auto stored = catalog::share_groups(*environment_.catalog);
  if (!stored) return stored.error();
  for (const std::string& group : *stored) {
    if (auto loaded = load_beyond(group, log_ends); !loaded) return loaded.error();
  }
  std::size_t lowered = 0;
  for (const auto& [key, partition] : partitions_) {
    const auto end = log_ends.find(partition->at());
    if (end != log_ends.end() && partition->lower(end->second)) ++lowered;
  }
  return lowered;
}

Result<> ShareGroups::load_beyond(std::string_view group, const std::map<TopicPartition, Offset>& log_ends) {
  if (forgotten_.find(std::string(group))) return {};
  const auto rows = catalog::share_progress_of(*environment_.catalog, group);
  if (!rows) return rows.error();
  for (const auto& row : *rows) {
    const auto topic = environment_.topic_name(row.topic_id, row.partition);
    const auto end = topic ? log_ends.find({*topic, row.partition}) : log_ends.end();
    if (end == log_ends.end()) continue;
    const auto stored = decode_share_row(row.payload);
    if (!stored) return stored.error().with_context("share group \"" + std::string(group) + "\"");
    if (end_of(*stored) <= end->second) continue;
    if (auto loaded = load(group, end->first, row.topic_id); !loaded) return loaded.error();
  }
  return {};
}

Result<ShareSettings> ShareGroups::settings(std::string_view group) const {
  const base::MutexLock lock(mutex_);
  return find_settings(group);
}

Result<ShareSettings> ShareGroups::find_settings(std::string_view group) const {
  if (auto newer = settings_.find(std::string(group))) return std::move(newer->value);
  const auto row = catalog::share_config(*environment_.catalog, group);
  if (!row) return row.error();
  return *row ? decode_share_settings(**row) : ShareSettings();
}

Result<> ShareGroups::set_settings(std::string_view group, const ShareSettings& settings) {
  if (auto named = catalog::check_group_name(group); !named) return named;
  if (auto checked = check_settings(group, settings); !checked) return checked;
  if (auto admitted = environment_.admit(); !admitted) return admitted;
  std::vector<std::byte> payload;
  format::encode_journal_share_group({.group = group, .config = views_of(settings)}, payload);
  Settings::Entries fresh;
  fresh[std::string(group)].value = settings;
  const auto staged = [&]() -> Result<std::uint64_t> {
    const base::MutexLock lock(mutex_);
    return settings_.enter_staged(fresh, [&] {
      return environment_.journal->stage(
          journal::StagedFrame::encoded(format::JournalFrameType::share_group, payload));
    });
  }();
  return staged ? environment_.acknowledge(*staged, Acks::all) : Result<>(staged.error());
}

Result<SharePartitionPtr> ShareGroups::find_replayed(std::string_view group, const catalog::Id& topic_id,
                                                     PartitionId partition) {
  auto topic = environment_.topic_name(topic_id, partition);
  if (!topic) return SharePartitionPtr();
  return load(group, {*std::move(topic), partition}, topic_id);
}

Result<> ShareGroups::replay(const state::ReplayedFrame& frame) {
  const base::MutexLock lock(mutex_);
  switch (frame.type) {
    case format::JournalFrameType::share_progress: {
      const auto told = format::parse_journal_share_progress(frame.payload);
      if (!told) return told.error();
      const auto partition = find_replayed(told->group, told->topic_id, told->partition);
      if (!partition) return partition.error();
      if (*partition) (*partition)->replay(*told, frame.lsn);
      return {};
    }
    case format::JournalFrameType::share_group: {
      const auto told = format::parse_journal_share_group(frame.payload);
      if (!told) return told.error();
      return replay_group(*told, frame.lsn);
    }
    case format::JournalFrameType::decision:
    case format::JournalFrameType::decision_at_leader: {
      const auto decision = format::parse_journal_decision(frame.payload);
      if (!decision) return decision.error();
      return replay_deaths(*decision, frame.lsn);
    }
    default:
      return {};
  }
}

Result<> ShareGroups::replay_group(const format::JournalShareGroup& told, std::uint64_t lsn) {
  Settings::Entries fresh;
  fresh[std::string(told.group)].value = copy_of(told.config);
  settings_.enter(fresh, lsn);
  if (!told.is_forgotten) return {};
  Forgotten::Entries end;
  end[std::string(told.group)];
  forgotten_.enter(end, lsn);
  for (const auto& partition : loaded_of(told.group)) {
    partition->hold();
    partition->end(lsn);
  }
  return {};
}

Result<> ShareGroups::replay_deaths(const format::JournalDecision& decision, std::uint64_t lsn) {
  for (const auto& dead : decision.deaths) {
    const auto partition = find_replayed(dead.group, dead.topic_id, dead.partition);
    if (!partition) return partition.error();
    if (*partition) (*partition)->replay_deaths(dead.runs, lsn);
  }
  return {};
}

bool ShareGroups::has_changes() const {
  return !changed_.empty() || !gathered_.empty() || settings_.has_changes() || forgotten_.has_changes();
}

// The ends of groups first, as one moment with the settings: what is told of a group behind its end stays.
// Rows may be of later frames than that; each is as its frames say, in their order, and a replay ends there
// again.
void ShareGroups::gather(catalog::TableWrites& to) {
  const auto is_current = environment_.current_topics();
  {
    const base::MutexLock lock(mutex_);
    changed_.move_to(gathered_);
    for (const auto& [group, entry] : forgotten_.gather()) catalog::forget_share_group(to, group);
    std::vector<std::byte> payload;
    for (const auto& [group, entry] : settings_.gather()) {
      if (entry.value.empty()) {
        catalog::forget_share_config(to, group);
        continue;
      }
      encode_share_settings(entry.value, payload);
      catalog::put_share_config(to, group, payload);
    }
    gathered_lsn_ = std::max(settings_.newest_lsn(), forgotten_.newest_lsn());
  }
  for (const auto& partition : gathered_) {
    if (!is_current(partition->at().topic, partition->topic_id())) continue;
    gathered_lsn_ = std::max(gathered_lsn_, partition->gather(to));
  }
}

void ShareGroups::stored(std::uint64_t covered_lsn) noexcept {
  const base::MutexLock lock(mutex_);
  settings_.stored(covered_lsn);
  forgotten_.stored(covered_lsn);
  // An object that nobody uses, and that has no more than the catalog, nothing, is made again when it is
  // asked for.
  const auto is_unused = [](const SharePartitionPtr& partition) {
    constexpr long uses = 2;  // In the set and in the map.
    return partition.use_count() <= uses && partition->is_nothing();
  };
  if (std::any_of(gathered_.begin(), gathered_.end(), is_unused)) {
    std::erase_if(partitions_, [&](const auto& entry) {
      return gathered_.contains(entry.second) && is_unused(entry.second);
    });
  }
  gathered_.clear();
}

}  // namespace seriatim::group
