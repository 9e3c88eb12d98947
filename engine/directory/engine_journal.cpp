// The engine and its journal: replay and opening, checkpoints, committed offsets.
#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "directory/engine_impl.hpp"
#include "directory/facts/storable.hpp"
#include "directory/files/format_file.hpp"
#include "directory/recovery/log_moment.hpp"
#include "directory/recovery/parts_check.hpp"
#include "directory/topics/partition_states.hpp"
#include "os/path.hpp"
#include "transaction/transaction_errors.hpp"

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
  auto part = directory::part_of(*catalog, vfs, directory.string());
  if (!part) return part.error();
  auto format = directory::read_format_file(vfs, directory.string());
  if (!format) return format.error();
  const auto known = topics.load();
  replay = std::make_unique<directory::JournalReplay>(*known);
  auto contents = journal::read_journal(
      {.directory = os::join_path(directory.string(), std::string(directory::journal_directory_name)),
       .directory_id = format->directory_id,
       .covered_lsn = part->engine.covered_lsn,
       .salvages = salvages_journal,
       .vfs = vfs},
      *replay);
  if (!contents) return contents.error();
  directory_id = format->directory_id;
  moment = std::max(part->moment, part->log_moment);
  if (auto fit = check_parts(*part, *contents); !fit) return fit;
  covered_lsn = part->engine.covered_lsn;
  checkpoint_lsn.store(covered_lsn, std::memory_order_relaxed);
  // A clean close leaves no frame beyond the last checkpoint.
  if (!replay->empty()) was_clean = false;
  if (replay->believes_markers()) was_clean = false;
  if (auto begun = begin_run(*contents); !begun) return begun;
  if (auto opened = open_journal(*contents); !opened) return opened;
  return open_coordinator();
}

Result<> EngineImpl::check_parts(const directory::CatalogPart& part,
                                 const journal::JournalContents& contents) {
  auto fit = directory::check_parts_fit(part, contents, directory.string());
  const bool is_whole = fit && contents.losses.empty();
  if (!salvages_journal || is_whole) return fit;
  if (!fit && fit.error().code() != Errc::corrupt_metadata) return fit;
  return go_on_from_markers();
}

Result<> EngineImpl::check_markers() {
  const auto& strange = replay->strange_marker();
  if (!strange) return {};
  if (salvages_journal) return go_on_from_markers();
  return directory::strange_marker_error(*strange, journal->stored_lsn(), directory.string());
}

// The state that a repair goes on from explains less than was decided: markers are believed, and ids that the
// later of the two gave out are passed over. A million is arbitrary, and nothing of 2^63. Until a checkpoint
// has brought everything home the logs are ahead of the catalog: where the repair is stopped, nobody goes on.
Result<> EngineImpl::go_on_from_markers() {
  constexpr std::int32_t passed_over_ids = 1'000'000;
  replay->believe_markers();
  if (auto told = directory::write_log_moment(vfs, log_directory(), directory_id, ++moment); !told)
    return told;
  if (auto synced = directory::sync_log_moment(vfs, log_directory()); !synced) return synced;
  auto reserved = catalog->reserve_producer_ids(passed_over_ids);
  return reserved ? Result<>() : Result<>(reserved.error());
}

// Before anything is written to the journal. That the last stop was clean stays true until begin_writing: an
// open that fails before leaves the directory as clean as it was. And the catalog stays of the moment that it
// is of, for the sake of go_on_from_markers.
Result<> EngineImpl::begin_run(const journal::JournalContents& contents) {
  journal_tie = {.stored_lsn = contents.stored_lsn,
                 .incarnation = random_incarnation(),
                 .found_incarnation = contents.newest_incarnation};
  return catalog->checkpoint({.journal = journal_tie});
}

Result<> EngineImpl::open_journal(const journal::JournalContents& contents) {
  auto opened = journal::Journal::open(
      {.directory = os::join_path(directory.string(), std::string(directory::journal_directory_name)),
       .directory_id = directory_id,
       .incarnation = journal_tie.incarnation,
       .file_bytes = options.journal_file_bytes,
       .mapped_writes = mapped_writes,
       .before_taking = [this] { return reserve.begin_taking(); },
       .after_taking = [this] { reserve.end_taking(); },
       .on_file_taken =
           [this] {
             prefault_queue->request_journal_file();
             journal_limit.look();
           },
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

Result<directory::PositionCommit> EngineImpl::check_position(const directory::Topic& topic,
                                                             const TopicPartition& at,
                                                             const OffsetAndMetadata& position) const {
  auto end = log_end_offset(topic, at.partition);
  if (!end) return end.error();
  // INV-2: a stored offset beyond the end would later skip the records that get those numbers.
  if (position.offset < 0 || position.offset > *end) {
    return Error(Errc::invalid_argument,
                 "offset " + std::to_string(position.offset) + " of " + at.topic + "-" +
                     std::to_string(at.partition) + " cannot be committed: the log ends at " +
                     std::to_string(*end) +
                     "; commit the offset of the next record to read, 0 to the log end");
  }
  directory::PositionCommit commit{
      .at = at,
      .topic_id = topic.id,
      .committed = {
          .offset = position.offset, .metadata = position.metadata, .commit_time_ms = clock.wall_ms()}};
  if (auto checked = catalog::check_offset_commit(at, commit.committed); !checked) return checked.error();
  return commit;
}

Result<> EngineImpl::commit_offsets(std::string_view group, const TopicPartitionOffsets& offsets_given,
                                    Acks acks) {
  if (auto named = catalog::check_group_name(group); !named) return named;
  if (auto admitted = journal_limit.admit(); !admitted) return admitted;
  std::vector<directory::PositionCommit> positions;
  positions.reserve(offsets_given.size());
  for (const auto& [at, position] : offsets_given) {
    auto found = topic(at.topic);
    if (!found) return found.error();
    auto checked = check_position(**found, at, position);
    if (!checked) return checked.error();
    positions.push_back(*std::move(checked));
  }
  auto lsn = offsets.commit(*journal, group, positions);
  if (!lsn) return lsn.error();
  auto done = acks == Acks::all ? coordinator->make_durable(*lsn) : journal->write_through(*lsn);
  if (done || !transaction::may_lack_room(done.error())) return done;
  // No room for a journal file: the catalog may have some, and a checkpoint makes more.
  return checkpoint();
}

Result<std::optional<catalog::CommittedOffset>> EngineImpl::committed_offset(std::string_view group,
                                                                             const TopicPartition& at) {
  auto found = topic(at.topic);
  if (!found) return found.error();
  if (auto newer = offsets.find(group, at, (*found)->id)) return newer;
  if (offsets.is_forgotten(group)) return std::optional<catalog::CommittedOffset>();
  return catalog->committed(group, at);
}

Result<std::map<TopicPartition, catalog::CommittedOffset>> EngineImpl::group_offsets(std::string_view group) {
  const auto known = topics.load();
  // The newer ones first: a checkpoint in between moves some to where is looked next.
  const bool is_forgotten = offsets.is_forgotten(group);
  auto merged = offsets.group(group, *known);
  if (is_forgotten) return merged;
  auto stored = catalog->group_offsets(group);
  if (!stored) return stored.error();
  for (auto& [at, committed] : *stored) merged.try_emplace(at, std::move(committed));
  return merged;
}

Result<std::vector<std::string>> EngineImpl::groups() {
  const auto forgotten = offsets.forgotten();
  auto newer = offsets.groups();
  auto stored = catalog->groups();
  if (!stored) return stored.error();
  std::set<std::string> names(stored->begin(), stored->end());
  for (const std::string& group : forgotten) names.erase(group);
  names.insert(newer.begin(), newer.end());
  return std::vector<std::string>(names.begin(), names.end());
}

// A frame like any other: frames before it are replayed before it, whatever a checkpoint covers of them.
Result<> EngineImpl::delete_group(std::string_view group) {
  if (auto named = catalog::check_group_name(group); !named) return named;
  auto lsn = offsets.forget_group(*journal, group);
  if (!lsn) return lsn.error();
  auto done = coordinator->make_durable(*lsn);
  if (done || !transaction::may_lack_room(done.error())) return done;
  return checkpoint();
}

// Without an LSN: frames that a replay repeats end where they ended. And so nothing is forgotten here.
Result<> EngineImpl::store_commits() {
  const base::MutexLock guard(admin_mutex);
  if (!offsets.has_changes() && !state_store.has_changes()) return {};
  catalog::Checkpoint shown;
  gather_commits(shown);
  leave_out_unstorable(shown);
  if (auto durable = make_gathered_durable(gathered_lsns(), 0); !durable) return durable;
  if (auto stored = catalog->checkpoint(shown); !stored) return stored;
  constexpr std::uint64_t nothing_is_covered = 0;
  commits_stored(nothing_is_covered);
  return {};
}

// The contents of the journal come home: offsets and recovery points in one transaction with the LSN they
// cover, after the segments were synced that the frames up to it tell of.
Result<> EngineImpl::checkpoint() {
  auto stored = reserve.spend_on([this] { return checkpoint_once(); });
  journal_limit.look();
  return stored;
}

Result<> EngineImpl::checkpoint_once() {
  // The registry lock keeps a topic from being deleted between the look and the store.
  const base::MutexLock guard(admin_mutex);
  auto stored = gather_checkpoint();
  const GatheredLsns gathered = gathered_lsns();
  const auto open = open_partitions();
  std::vector<partition::SyncMark> marks;
  for (const auto& partition : open) {
    auto mark = partition->prepare_checkpoint();
    if (!mark) return mark.error();
    marks.push_back(*mark);
  }
  const std::uint64_t lsn = *stored.covered_lsn;
  if (auto synced = sync_together(open, marks); !synced) return synced;
  if (auto durable = make_gathered_durable(gathered, lsn); !durable) return durable;
  std::vector<std::pair<partition::PartitionPtr, partition::PartitionCheckpoint>> taken;
  for (const auto& partition : open) {
    const auto checkpoint = partition->checkpoint();
    if (partition->is_stored(checkpoint)) continue;
    taken.emplace_back(partition, checkpoint);
    stored.partitions.emplace_back(partition->name(), directory::to_state(taken.back().second));
  }
  const bool has_changed = lsn > covered_lsn || !stored.partitions.empty() ||
                           !stored.forgotten_groups.empty() || !stored.offsets.empty() ||
                           !stored.transactional_ids.empty() || !stored.state.empty();
  if (!has_changed) return {};
  journal_tie.stored_lsn = journal->stored_lsn();
  stored.journal = journal_tie;
  if (auto done = store_checkpoint(stored); !done) return done;
  covered_lsn = lsn;
  note_checkpoint(lsn);
  for (const auto& [partition, checkpoint] : taken) partition->checkpoint_stored(checkpoint);
  forget_stored(stored);
  return journal->recycle_below(lsn + 1, journal_tie.stored_lsn);
}

// The logs are told last: no crash leaves them ahead of the catalog.
Result<> EngineImpl::store_checkpoint(catalog::Checkpoint& gathered) {
  gathered.moment = catalog::Moment{++moment};
  if (auto done = catalog->checkpoint(gathered); !done) return done;
  auto told = directory::write_log_moment(vfs, log_directory(), directory_id, moment);
  if (!told) report(LogLevel::warn, "the logs were not told of a checkpoint: " + told.error().message());
  return {};
}

// All decisions with a marker below one of the marks are secured at once: by the first partition, they would
// be up to its own mark only, and every other partition is flushed for that.
Result<> EngineImpl::sync_together(const std::vector<partition::PartitionPtr>& partitions,
                                   const std::vector<partition::SyncMark>& marks) {
  std::uint64_t decided_lsn = 0;
  for (const auto& mark : marks) decided_lsn = std::max(decided_lsn, mark.decided_lsn);
  if (decided_lsn > 0) {
    if (auto secured = coordinator->make_durable(decided_lsn); !secured) return secured;
  }
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    if (auto synced = partitions[i]->sync_to(marks[i]); !synced) return synced;
  }
  return {};
}

Result<> EngineImpl::sync_partitions() {
  const auto open = open_partitions();
  std::vector<partition::SyncMark> marks;
  for (const auto& partition : open) marks.push_back(partition->sync_mark());
  return sync_together(open, marks);
}

// Behind the gathering: nothing was gathered that is newer.
EngineImpl::GatheredLsns EngineImpl::gathered_lsns() const {
  return {.applied = coordinator->applied_lsn(), .positions = offsets.newest_lsn()};
}

// The gathered facts reach stable storage with the catalog at once, but may tell of frames that a power cut
// takes. Positions and state of a decision must not stay without it (INV-8); and of two positions, an older
// frame that is left would take the place of one, and none that of the other.
Result<> EngineImpl::make_gathered_durable(const GatheredLsns& gathered, std::uint64_t covered) {
  if (gathered.positions > covered) {
    auto secured = coordinator->make_durable(gathered.positions);
    // A frame that finds no room was not acknowledged, and a checkpoint is what makes room.
    const bool lacks_room = !secured && transaction::may_lack_room(secured.error());
    if (!secured && !lacks_room) return secured;
  }
  // Decisions that were applied are written, and need none.
  return gathered.applied > covered ? coordinator->make_durable(gathered.applied) : Result<>();
}

// In this order: what a frame up to the covered one tells of is either in what is gathered behind it, or it
// is a decision that is not settled, which the LSN stays below. The partitions come last: the markers of
// settled decisions are below their recovery points.
//
// The covered LSN never goes back: a decision on its way into the journal says that it is not settled
// before it has its LSN, with one that may be older than the last checkpoint.
catalog::Checkpoint EngineImpl::gather_checkpoint() {
  const std::uint64_t staged_lsn = journal->stats().staged_lsn;
  const std::uint64_t lsn = std::max(covered_lsn, std::min(staged_lsn, coordinator->settled_lsn()));
  catalog::Checkpoint gathered{.covered_lsn = lsn, .transactional_ids = coordinator->changed_ids()};
  gather_commits(gathered);
  leave_out_unstorable(gathered);
  return gathered;
}

void EngineImpl::gather_commits(catalog::Checkpoint& to) {
  const auto known = topics.load();
  offsets.gather(*known, to);
  to.state = state_store.gather();
}

void EngineImpl::leave_out_unstorable(catalog::Checkpoint& gathered) const {
  for (const Error& refused : directory::leave_out_unstorable(gathered))
    report(LogLevel::error, refused.message());
}

void EngineImpl::forget_stored(const catalog::Checkpoint& stored) {
  commits_stored(*stored.covered_lsn);
  coordinator->mark_stored(stored.transactional_ids);
}

void EngineImpl::commits_stored(std::uint64_t lsn) noexcept {
  offsets.stored(lsn);
  state_store.stored(lsn);
}

void EngineImpl::note_checkpoint(std::uint64_t lsn) noexcept {
  counters.checkpoints.add();
  checkpoint_lsn.store(lsn, std::memory_order_relaxed);
  checkpoint_time_ms.store(clock.wall_ms(), std::memory_order_relaxed);
}

bool EngineImpl::is_journal_long() const { return journal->bytes_in_use() > options.journal_max_bytes / 2; }

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
