// The engine and its journal: replay, opening, and the wait for a frame.
#include <memory>
#include <random>
#include <utility>

#include "directory/engine_impl.hpp"
#include "directory/files/format_file.hpp"
#include "directory/recovery/parts_check.hpp"
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
       .salvages = opening.salvages_journal,
       .vfs = vfs},
      *replay);
  if (!contents) return contents.error();
  directory_id = format->directory_id;
  moments.begin(directory_id, std::max(part->moment, part->log_moment));
  if (auto fit = check_parts(*part, *contents); !fit) return fit;
  // A clean close leaves no frame beyond the last checkpoint.
  if (!replay->empty()) was_clean = false;
  if (replay->believes_markers()) was_clean = false;
  if (auto begun = begin_run(*contents); !begun) return begun;
  if (auto opened = open_journal(*contents); !opened) return opened;
  if (auto opened = open_coordinator(); !opened) return opened;
  make_checkpointer(part->engine.covered_lsn);
  return {};
}

Result<> EngineImpl::check_parts(const directory::CatalogPart& part,
                                 const journal::JournalContents& contents) {
  auto fit = directory::check_parts_fit(part, contents, directory.string());
  const bool is_whole = fit && contents.losses.empty();
  if (!opening.salvages_journal || is_whole) return fit;
  if (!fit && fit.error().code() != Errc::corrupt_metadata) return fit;
  return go_on_from_markers();
}

Result<> EngineImpl::check_markers() {
  const auto& strange = replay->strange_marker();
  if (!strange) return {};
  if (opening.salvages_journal) return go_on_from_markers();
  return directory::strange_marker_error(*strange, journal->stored_lsn(), directory.string());
}

// The state that a repair goes on from explains less than was decided: markers are believed, and ids that the
// later of the two gave out are passed over. A million is arbitrary, and nothing of 2^63. Until a checkpoint
// has brought everything home the logs are ahead of the catalog: where the repair is stopped, nobody goes on.
Result<> EngineImpl::go_on_from_markers() {
  constexpr std::int32_t passed_over_ids = 1'000'000;
  replay->believe_markers();
  moments.next();
  if (auto told = moments.tell_logs(); !told) return told;
  if (auto synced = moments.make_durable(); !synced) return synced;
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
       .mapped_writes = writes.is_mapped,
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

// Behind the parts that it needs; nothing is appended before.
void EngineImpl::make_checkpointer(std::uint64_t covered_lsn) {
  checkpointer = std::make_unique<directory::Checkpointer>(
      directory::CheckpointerEnvironment{
          .topics_mutex = topics.mutex(),
          .journal = *journal,
          .catalog = *catalog,
          .moments = moments,
          .coordinator = *coordinator,
          .reserve = reserve,
          .limit = journal_limit,
          .clock = clock,
          .facts = facts,
          .open_partitions = [this] { return topics.open_partitions(); },
          .report = [this](LogLevel level, std::string_view line) { report(level, line); }},
      covered_lsn, journal_tie);
}

Result<> EngineImpl::acknowledge(std::uint64_t lsn, Acks acks) {
  auto done = acks == Acks::all ? coordinator->make_durable(lsn) : journal->write_through(lsn);
  if (done || !transaction::may_lack_room(done.error())) return done;
  // No room for a journal file: the catalog may have some, and a checkpoint makes more.
  return checkpointer->checkpoint();
}

Result<> EngineImpl::open_coordinator() {
  coordinator =
      std::make_unique<transaction::TransactionCoordinator>(transaction::TransactionCoordinatorEnvironment{
          .journal = *journal,
          .gate = visibility_gate,
          .clock = clock,
          .decision_bytes_max = std::min(options.transaction_max_bytes, journal->payload_bytes_max()),
          .new_producer_id = [this] { return producer_ids.next(); },
          .store_id =
              [this](const std::string& id, const catalog::TransactionalId& record) {
                // Another process sees it, and a crash does not make it anew. No checkpoint in between has
                // gathered an older epoch and stores it later.
                const base::MutexLock guard(topics.mutex());
                return catalog->put_transactional_id(id, record);
              },
          .make_room = [this] { return checkpointer->checkpoint(); },
          .with_reserve = [this](const std::function<Result<>()>& work) { return reserve.spend_on(work); }});
  environment.make_decisions_durable = [this](std::uint64_t lsn) { return coordinator->make_durable(lsn); };
  auto known = catalog->transactional_ids();
  if (!known) return known.error();
  for (const auto& [id, record] : *known) coordinator->restore(id, record);
  return {};
}

Result<> EngineImpl::expire_transactional_ids() {
  const auto forgotten =
      coordinator->forget_unused(clock.wall_ms() - options.transactional_id_expiration.count());
  for (const auto& id : forgotten) {
    if (auto deleted = catalog->delete_transactional_id(id); !deleted) return deleted;
  }
  return {};
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
