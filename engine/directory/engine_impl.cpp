#include "directory/engine_impl.hpp"

#include <algorithm>
#include <utility>

#include "base/boundary.hpp"
#include "delivery/delivery_thread.hpp"
#include "directory/background.hpp"
#include "directory/topics/partition_states.hpp"
#include "directory/upkeep/counters_file.hpp"
#include "os/path.hpp"
#include "os/process.hpp"
#include "partition/tail/tailing_log.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

namespace {

group::TopicCounts counts_of(const directory::TopicRegistry::Ptr& topics) {
  group::TopicCounts counts;
  for (const auto& [name, topic] : *topics) counts.emplace(name, topic->partition_count());
  return counts;
}

group::IsCurrentTopic current_topics(const EngineImpl& engine) {
  return [known = engine.topics.load()](const std::string& name, const catalog::Id& id) {
    const auto found = known->find(name);
    return found != known->end() && found->second->id == id;
  };
}

group::OffsetsEnvironment offsets_environment(EngineImpl& engine) {
  return {.clock = engine.clock,
          .catalog = engine.catalog,
          .journal = engine.journal,
          .topic_id = [&engine](std::string_view name) -> Result<catalog::Id> {
            auto found = engine.topic(name);
            if (!found) return found.error();
            return (*found)->id;
          },
          .partition_end = [&engine](const TopicPartition& at) -> Result<group::PartitionEnd> {
            auto found = engine.topic(at.topic);
            if (!found) return found.error();
            auto end = (*found)->log_end_offset(at.partition);
            if (!end) return end.error();
            return group::PartitionEnd{(*found)->id, *end};
          },
          .current_topics = [&engine] { return current_topics(engine); },
          .topic_name = [&engine](const catalog::Id& id,
                                  PartitionId partition) { return engine.replay->topic_name(id, partition); },
          .admit = [&engine] { return engine.journal_limit.admit(); },
          .acknowledge = [&engine](std::uint64_t lsn, Acks acks) { return engine.acknowledge(lsn, acks); }};
}

group::ShareEnvironment share_environment(EngineImpl& engine) {
  return {.catalog = engine.catalog,
          .journal = engine.journal,
          .topic_id = [&engine](std::string_view name) -> Result<catalog::Id> {
            auto topic = engine.topic(name);
            return topic ? Result<catalog::Id>((*topic)->id) : Result<catalog::Id>(topic.error());
          },
          .current_topics = [&engine] { return current_topics(engine); },
          .topic_name = [&engine](const catalog::Id& id,
                                  PartitionId partition) { return engine.replay->topic_name(id, partition); },
          .admit = [&engine] { return engine.journal_limit.admit(); },
          .acknowledge = [&engine](std::uint64_t lsn, Acks acks) { return engine.acknowledge(lsn, acks); }};
}

}  // namespace

EngineImpl::EngineImpl(std::filesystem::path dir, EngineOptions engine_options, os::Vfs& file_system,
                       const base::Clock& engine_clock)
    : directory(std::move(dir)),
      options(std::move(engine_options)),
      vfs(file_system),
      clock(engine_clock),
      opened_in(os::fork_generation()),
      files(file_system, os::FdCache::default_capacity()),
      prefault_queue(std::make_unique<directory::PrefaultQueue>()),
      reserve(file_system, directory.string()),
      environment{.files = {file_system, files, prefault_queue.get(), &reserve},
                  .maps = maps,
                  .clock = engine_clock,
                  .health = health,
                  .counters = partition_counters,
                  .report =
                      [this](bool is_error, std::string_view line) {
                        report(is_error ? LogLevel::error : LogLevel::warn, line);
                      },
                  .journal_bypass_bytes =
                      std::min<std::uint64_t>(options.journal_bypass_bytes, options.journal_file_bytes / 2)},
      journal_limit({.limit_bytes = options.journal_max_bytes,
                     .bytes_in_use = [this] { return journal ? journal->bytes_in_use() : 0; },
                     .checkpoint = [this] { return checkpointer->checkpoint(); }}),
      moments(file_system, log_directory()),
      committed_offsets(offsets_environment(*this)),
      groups({.clock = engine_clock, .topics = [this] { return counts_of(topics.load()); }}),
      share_groups(share_environment(*this)),
      state_tables(catalog),
      transactional_id_facts(coordinator),
      topics(topics_environment()),
      producer_ids(catalog, engine_clock) {}

directory::TopicsEnvironment EngineImpl::topics_environment() {
  return {.catalog = catalog,
          .vfs = vfs,
          .files = files,
          .clock = clock,
          .reserve = reserve,
          .directory = directory.string(),
          .log_directory = log_directory(),
          .is_read_only = is_read_only(),
          .check_usable = [this] { return check_usable(); },
          .open_partition = [this](const directory::PartitionPlace& place) { return open_partition(place); },
          .forget_topic =
              [this](const catalog::Id& id) {
                committed_offsets.forget_topic(id);
                share_groups.forget_topic(id);
              },
          .tell_groups =
              [this] {
                // The change stands; a group that was not told looks when its next epoch begins.
                auto told = base::answered([this]() -> Result<> {
                  groups.topics_changed();
                  return {};
                });
                if (!told)
                  report(LogLevel::error, "telling consumer groups of topics: " + told.error().message());
              },
          .report = [this](LogLevel level, std::string_view line) { report(level, line); }};
}

EngineImpl::~EngineImpl() {
  if (os::fork_generation() != opened_in) {
    // A child's copy: files and locks are the parent's, and the threads do not exist here, so that nothing
    // may join them.
    static_cast<void>(background.release());
    static_cast<void>(prefault_queue.release());
    static_cast<void>(delivery.release());
    static_cast<void>(journal.release());
    return;
  }
  // An open that failed, by an error or an exception, at whatever step: nothing was begun that a
  // close would have to finish, and a close would call clean what the next open has to recover.
  if (!opening.is_done) return;
  auto result = base::answered([this] { return close(); });
  if (!result) report(LogLevel::error, result.error().message());
}

void EngineImpl::destroy(EngineImpl* engine) noexcept {
  // Neither thread can wait for itself. A task's run ends soon; the other one waits for it.
  const bool is_within_task = engine->background && engine->background->tasks().is_current();
  if (engine->delivery && (engine->delivery->is_current() || is_within_task)) {
    engine->delivery->adopt([engine] { delete engine; });
  } else {
    delete engine;
  }
}

Result<> EngineImpl::check_usable() const {
  if (os::fork_generation() != opened_in) {
    return Error(Errc::invalid_state, directory.string() +
                                          ": this engine was opened before fork() and belongs to the parent "
                                          "process; open the directory again in "
                                          "the child, read-only if the parent goes on writing");
  }
  if (closed.load(std::memory_order_acquire)) {
    return Error(Errc::closed, directory.string() + ": the engine was closed; open it again");
  }
  return {};
}

Result<> EngineImpl::check_writable() const {
  if (auto usable = check_usable(); !usable) return usable;
  if (is_read_only()) {
    return Error(Errc::read_only,
                 directory.string() +
                     " was opened with OpenMode::read_only; open it with read_write to change anything");
  }
  return {};
}

Result<partition::PartitionLogPtr> EngineImpl::partition_log(std::string_view topic_name,
                                                             PartitionId partition) {
  auto found = topic(topic_name);
  if (!found) return found.error();
  return topics.partition_log(*found, partition);
}

Result<partition::PartitionPtr> EngineImpl::partition(std::string_view topic_name, PartitionId partition) {
  if (auto writable = check_writable(); !writable) return writable.error();
  auto log = partition_log(topic_name, partition);
  if (!log) return log.error();
  return std::static_pointer_cast<partition::Partition>(
      *std::move(log));  // Writing engines open nothing else.
}

void EngineImpl::report(LogLevel level, std::string_view line) const noexcept {
  if (level == LogLevel::error) const_cast<EngineCounters&>(counters).background_errors.add();
  if (options.log_sink) options.log_sink(level, line);
}

std::string EngineImpl::log_directory() const { return os::join_path(directory.string(), "log"); }

segment::LastStop EngineImpl::last_stop() const noexcept {
  if (was_clean) return segment::LastStop::clean;
  if (replay && replay->believes_markers()) return segment::LastStop::losses;
  return lock.had_settled_in_this_boot() ? segment::LastStop::kill : segment::LastStop::power_cut;
}

Result<partition::PartitionLogPtr> EngineImpl::open_partition(const directory::PartitionPlace& place) {
  // The catalog's record of the partition; nothing: it has none.
  const auto stored = [this, id = place.topic_id,
                       index =
                           place.name.partition]() -> Result<std::optional<partition::PartitionCheckpoint>> {
    auto state = catalog->partition_state(id, index);
    if (!state) return state.error();
    if (!*state) return std::optional<partition::PartitionCheckpoint>();
    return std::optional(directory::to_checkpoint(**state, was_clean));
  };
  if (is_read_only()) {
    auto tailing = partition::TailingLog::open(
        environment, {.name = place.name,
                      .directory = place.path,
                      .may_have_gaps = place.config.cleanup_policy != CleanupPolicy::delete_,
                      .stored = stored});
    if (!tailing) return tailing.error();
    return partition::PartitionLogPtr(*std::move(tailing));
  }
  partition::PartitionRequest request{.name = place.name, .directory = place.path, .config = place.config};
  request.topic_id = place.topic_id;
  request.mapped_writes = writes.is_mapped;
  request.stop = last_stop();
  if (replay) {
    request.journalled = replay->take_batches(place.topic_id, place.name.partition);
    // Of ids that are not ours (a log that came from elsewhere) the journal knows nothing.
    request.is_decided = [this](ProducerId producer_id, ProducerEpoch marker_epoch) {
      return producer_id < catalog::first_producer_id || replay->is_decided(producer_id, marker_epoch);
    };
  }
  auto checkpoint = stored();
  if (!checkpoint) return checkpoint.error();
  request.checkpoint = checkpoint->value_or(partition::PartitionCheckpoint{});
  auto partition = partition::Partition::open(environment, request);
  if (!partition) return partition.error();
  return partition::PartitionLogPtr(*std::move(partition));
}

// From here on something may be appended: a crash has to be seen by the next open. A clean directory of which
// nothing has come is given back as it was.
Result<> EngineImpl::begin_writing() {
  auto started = base::answered([this]() -> Result<> {
    if (auto told = checkpointer->begin_writing(was_clean); !told) return told;
    settle_directory();
    return start_threads();
  });
  if (started) return started;
  if (background) background->stop();
  background.reset();
  delivery.reset();
  if (was_clean) {
    // Where that fails, too, the next open recovers, and finds what there is.
    if (auto told = base::answered([this] { return catalog->set_clean_shutdown(true); }); !told)
      report(LogLevel::warn, told.error().message());
  }
  return started;
}

Result<> EngineImpl::start_threads() {
  if (auto made = reserve.make(); !made) report(LogLevel::warn, "no reserve: " + made.error().message());
  // When the writer before this one made its last checkpoint is known from nowhere else.
  const auto published = directory::read_counters(vfs, directory.string());
  if (published && *published && checkpointer->time_ms() == 0) {
    if ((*published)->metrics.checkpoint_lsn == checkpointer->lsn())
      checkpointer->assume_time_ms(static_cast<std::int64_t>((*published)->metrics.checkpoint_time_ms));
  }
  auto counters_opened =
      directory::CountersFile::create(vfs, directory.string(), writes.keeps_allocated_blocks);
  if (counters_opened) {
    counters_file = *std::move(counters_opened);
  } else {
    report(LogLevel::warn, "no counters file: " + counters_opened.error().message());
  }
  delivery = std::make_unique<delivery::DeliveryThread>(clock);
  background = std::make_unique<directory::Background>(*this);
  return background->start();
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
