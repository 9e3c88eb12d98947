// The engine and its journal: replay and opening, checkpoints, committed offsets.
#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "api/engine_impl.hpp"
#include "api/format_file.hpp"
#include "api/partition_states.hpp"
#include "os/path.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

std::uint64_t random_incarnation() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

}  // namespace

// Everything is read before anything is written: a partition that cannot be read, or a journal that is
// damaged, leaves the directory as it was.
Result<> EngineImpl::replay_journal() {
  auto record = catalog->engine();
  if (!record) return record.error();
  auto format = api::read_format_file(vfs, directory.string());
  if (!format) return format.error();
  const auto known = topics.load();
  replay = std::make_unique<api::JournalReplay>(*known);
  auto contents = journal::read_journal(
      {.directory = os::join_path(directory.string(), std::string(api::journal_directory_name)),
       .directory_id = format->directory_id,
       .covered_lsn = record->covered_lsn,
       .salvages = salvages_journal,
       .vfs = vfs},
      *replay);
  if (!contents) return contents.error();
  checkpoint_lsn.store(record->covered_lsn, std::memory_order_relaxed);
  // What the journal has beyond the last checkpoint was not brought home by a clean close.
  if (!replay->empty()) was_clean = false;
  replay->restore_offsets(offsets);
  return open_journal(*contents, format->directory_id);
}

Result<> EngineImpl::open_journal(const journal::JournalContents& contents, const catalog::Id& directory_id) {
  auto opened = journal::Journal::open(
      {.directory = os::join_path(directory.string(), std::string(api::journal_directory_name)),
       .directory_id = directory_id,
       .incarnation = random_incarnation(),
       .file_bytes = options.journal_file_bytes,
       .before_taking = [this] { return reserve.before_taking(); },
       .vfs = vfs,
       .clock = clock,
       .on_storage_failed =
           [this](const Error& cause) {
             // A segment's failure that ends the journal too has been counted.
             if (!health.has_failed()) partition_counters.failed_syncs.add();
             health.latch(cause);
           }},
      contents);
  if (!opened) return opened.error();
  journal = *std::move(opened);
  environment.journal = journal.get();
  return {};
}

Result<> EngineImpl::commit_offsets(std::string_view group, const std::vector<catalog::OffsetCommit>& commits,
                                    Acks acks) {
  if (auto checked = catalog::check_offset_commits(group, commits); !checked) return checked;
  std::vector<api::PositionCommit> positions;
  positions.reserve(commits.size());
  for (const auto& commit : commits) {
    const auto& at = commit.topic_partition;
    auto found = topic(at.topic);
    if (!found) return found.error();
    if (at.partition < 0 || at.partition >= (*found)->partition_count()) {
      return Error(Errc::unknown_topic_or_partition, "topic " + at.topic + " has partitions 0 to " +
                                                         std::to_string((*found)->partition_count() - 1) +
                                                         ", not " + std::to_string(at.partition));
    }
    positions.push_back({at, (*found)->id, commit.committed});
  }
  auto lsn = offsets.commit(*journal, group, positions);
  if (!lsn) return lsn.error();
  auto done = acks == Acks::all ? journal->wait_durable(*lsn) : journal->write_through(*lsn);
  if (done || done.error().code() == Errc::storage_failed || done.error().code() == Errc::closed) return done;
  // No room for a journal file: the catalog may have some, and a checkpoint makes more.
  return checkpoint();
}

Result<std::optional<catalog::CommittedOffset>> EngineImpl::committed_offset(std::string_view group,
                                                                             const TopicPartition& at) {
  auto found = topic(at.topic);
  if (!found) return found.error();
  if (auto newer = offsets.find(group, at, (*found)->id)) return newer;
  return catalog->committed(group, at);
}

Result<std::map<TopicPartition, catalog::CommittedOffset>> EngineImpl::group_offsets(std::string_view group) {
  const auto known = topics.load();
  // The newer ones first: a checkpoint in between moves some to where is looked next.
  auto merged = offsets.group(group, *known);
  auto stored = catalog->group_offsets(group);
  if (!stored) return stored.error();
  for (auto& [at, committed] : *stored) merged.try_emplace(at, std::move(committed));
  return merged;
}

Result<std::vector<std::string>> EngineImpl::groups() {
  auto newer = offsets.groups();
  auto stored = catalog->groups();
  if (!stored) return stored.error();
  std::set<std::string> names(newer.begin(), newer.end());
  names.insert(stored->begin(), stored->end());
  return std::vector<std::string>(names.begin(), names.end());
}

// The journal forgets them first: replayed, its frames would bring them back.
Result<> EngineImpl::delete_group(std::string_view group) {
  if (auto done = checkpoint(); !done) return done;
  return reserve.spend_on([&] { return catalog->delete_group_offsets(group); });
}

Result<> EngineImpl::store_offsets() {
  const base::MutexLock guard(admin_mutex);
  const std::uint64_t newest = offsets.newest_lsn();
  if (newest <= shown_lsn) return {};
  const auto known = topics.load();
  auto pending = offsets.pending(*journal, *known);
  // Without an LSN: frames that a replay repeats end where they ended. And so nothing is forgotten here.
  auto stored = catalog->checkpoint({.offsets = std::move(pending.offsets)});
  if (stored) shown_lsn = newest;
  return stored;
}

// What lies in the journal comes home: offsets and recovery points in one transaction with the LSN they
// cover, after the segments were synced that the frames up to it tell of.
Result<> EngineImpl::checkpoint() {
  return reserve.spend_on([this] { return checkpoint_once(); });
}

Result<> EngineImpl::checkpoint_once() {
  // The registry lock keeps a topic from being deleted between the look and the store.
  const base::MutexLock guard(admin_mutex);
  const auto known = topics.load();
  auto pending = offsets.pending(*journal, *known);
  catalog::Checkpoint stored{.covered_lsn = pending.lsn, .offsets = std::move(pending.offsets)};
  std::vector<std::pair<partition::PartitionPtr, partition::PartitionCheckpoint>> taken;
  for (const auto& partition : open_partitions()) {
    if (auto prepared = partition->prepare_checkpoint(); !prepared) return prepared;
    taken.emplace_back(partition, partition->checkpoint());
    stored.partitions.emplace_back(partition->name(), api::to_state(taken.back().second));
  }
  const bool is_news = pending.lsn > covered_lsn || !stored.partitions.empty() || !stored.offsets.empty();
  if (!is_news) return {};
  if (auto done = catalog->checkpoint(stored); !done) return done;
  covered_lsn = pending.lsn;
  note_checkpoint(pending.lsn);
  for (const auto& [partition, checkpoint] : taken) partition->checkpoint_stored(checkpoint);
  offsets.stored(pending.lsn);
  return journal->recycle_below(pending.lsn + 1);
}

void EngineImpl::note_checkpoint(std::uint64_t lsn) noexcept {
  counters.checkpoints.add();
  checkpoint_lsn.store(lsn, std::memory_order_relaxed);
  checkpoint_time_ms.store(clock.wall_ms(), std::memory_order_relaxed);
}

bool EngineImpl::is_journal_long() const {
  return journal->stats().bytes_in_use > options.journal_max_bytes / 2;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
