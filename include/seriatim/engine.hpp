/// @file
/// `Engine`: opens a data directory and hands out producers, consumers and readers.
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <seriatim/admin.hpp>
#include <seriatim/consumer.hpp>
#include <seriatim/export.hpp>
#include <seriatim/log_reader.hpp>
#include <seriatim/metrics.hpp>
#include <seriatim/producer.hpp>
#include <seriatim/result.hpp>
#include <seriatim/share_consumer.hpp>
#include <seriatim/share_group.hpp>
#include <seriatim/state.hpp>
#include <seriatim/task.hpp>
#include <seriatim/transaction.hpp>

namespace seriatim {
inline namespace v0 {

enum class OpenMode : std::uint8_t {
  read_only,   ///< Never writes, never takes or waits for the writer's lock; sees new records while a writer
               ///< runs.
  read_write,  ///< The one writer. The directory must exist.
  create_if_missing,  ///< As read_write; makes a new directory or fills an empty one.
};

/// How batches get into segments.
enum class WriteMode : std::uint8_t {
  automatic,  ///< Mapped, unless the file system cannot reserve blocks (then written).
  mapped,     ///< Stores into the mapped file, in blocks reserved beforehand.
  written,    ///< pwrite; maps are for reading only.
};

enum class LogLevel : std::uint8_t { info, warn, error };

/// Options of an engine. `Engine::open` checks every range below; of a duration without an upper limit the
/// largest value means never.
struct EngineOptions {
  OpenMode mode = OpenMode::create_if_missing;
  /// Gets a line for what no call can return: recovery findings, failures of background work. Called from any
  /// thread; must not throw nor call back into the engine. Default: silence.
  std::function<void(LogLevel, std::string_view)> log_sink{};
  /// How often retention and compaction look for work. Kafka: 5 min. 0 ms or more; 0: only when
  /// asked (Admin).
  std::chrono::milliseconds maintenance_interval{std::chrono::minutes(5)};
  /// Most bytes a second that compaction in the background reads and writes, so that it leaves the disk to
  /// others; 0 or more; 0: no limit. Kafka: log.cleaner.io.max.bytes.per.second. Calls of Admin are not
  /// limited. Nor is retention: it deletes whole files, and reads and writes no bytes of the log.
  std::uint64_t maintenance_bytes_per_second = 0;
  /// How often segments are synced and the recovery points stored (`checkpoint.interval.ms`): bounds what
  /// recovery rescans. 1 ms or more. Kafka: 60 s.
  std::chrono::milliseconds checkpoint_interval{std::chrono::seconds(60)};
  /// How long a partition remembers a producer that writes nothing, 1 ms or more (Kafka:
  /// producer.id.expiration.ms, 24 h). By the wall clock, whatever the timestamps of its records say.
  std::chrono::milliseconds producer_id_expiration{std::chrono::hours(24)};
  /// The longest TransactionalProducerOptions::transaction_timeout, 1 .. 2'147'483'647 ms, which is 24 days
  /// (Kafka: transaction.max.timeout.ms).
  std::chrono::milliseconds transaction_max_timeout{std::chrono::minutes(15)};
  /// The most that one transaction may decide on beside its records: keys and values of state, positions of
  /// groups with their metadata, 36 bytes for each partition it writes to. 4 KiB to 1 GiB; no more than a
  /// journal file holds (journal_file_bytes less 1'048) counts. The call that goes beyond is refused, and the
  /// transaction stays as it was.
  std::uint64_t transaction_max_bytes = std::uint64_t{4} << 20;
  /// How long a transactional id is remembered that nobody uses, 1 ms or more (Kafka:
  /// transactional.id.expiration.ms).
  std::chrono::milliseconds transactional_id_expiration{std::chrono::hours(24 * 7)};
  /// How long the committed offset of a group is kept in a topic that none of its members subscribes to, from
  /// its commit on; a group is gone with its last offset. -1, the default: for ever. Kafka's default is
  /// 7 days (offsets.retention.minutes): a consumer that runs once a month begins anew each time. Not counted
  /// are groups that the topic's retention settings name (TopicConfig::retention_unread_groups). -1 ms or
  /// more.
  std::chrono::milliseconds offsets_retention{-1};
  /// How often such offsets are looked for, 1 ms or more (Kafka: offsets.retention.check.interval.ms).
  std::chrono::milliseconds offsets_retention_check_interval{std::chrono::minutes(10)};
  /// A checkpoint comes early when half of this lies in the journal (`journal.max.bytes`): bounds what
  /// recovery reads. When all of it does, commits (appends with acks = all, positions, transactions) wait for
  /// a checkpoint before they begin; where that fails or makes no room, they answer so (storage_full and the
  /// like, not_written), and go on when one succeeds. At least four times journal_file_bytes, at most 1 TiB.
  /// Under load about as much is kept on disk for use again; a quiet engine gives all but two files of it
  /// back with its checkpoints, and so does a close.
  std::uint64_t journal_max_bytes = std::uint64_t{64} << 20;
  /// Length of a journal file (`journal.file.bytes`), a multiple of 4096, 64 KiB to 1 GiB: fully written
  /// before it is used, so that a commit changes no metadata of the file system.
  std::uint32_t journal_file_bytes = std::uint32_t{8} << 20;
  /// Larger batches are not copied into the journal (`journal.bypass.bytes`): their segment is synced. 0 or
  /// more; half of journal_file_bytes at most counts.
  std::uint64_t journal_bypass_bytes = std::uint64_t{256} << 10;
  WriteMode write_mode = WriteMode::automatic;
};

namespace detail {
struct EngineImpl;
}

/// A data directory, open. Cheap to copy: copies are handles of one engine, and every producer, consumer and
/// reader keeps it alive.
///
/// Threads: any number may use one engine at the same time.
/// Processes: one writer, any number of read-only ones. After fork() the child's copy answers invalid_state
/// to everything.
class SERIATIM_API Engine {
 public:
  /// Opens `dir`, recovering it first if its last writer died. A relative path is made absolute here: what
  /// the working directory becomes later does not matter.
  ///
  /// Where descriptor 0, 1 or 2 is closed, something that can be neither read nor written takes its place and
  /// stays there, so that what the program writes to a stream that it closed reaches no file of the engine.
  ///
  /// Errors (the directory is unchanged, unless recovery had begun; recovery is idempotent):
  ///   - locked: another process writes there; the message says pid, program and since when.
  ///   - invalid_state: this process has it open for writing already.
  ///   - not_found, not_a_data_directory, permission_denied, read_only, storage_full, too_many_open_files,
  ///     out_of_memory, io_error.
  ///   - unsupported_version: written by a newer seriatim.
  ///   - corrupt_metadata: FORMAT or the catalog is damaged; the message says what to do. A damaged log does
  ///     not fail the open: it is contained, reported to the log sink, and answered by reads of that place.
  /// Threads: any.
  /// Cost: after a clean close constant per partition; after a crash, reads what lies beyond the recovery
  /// points.
  static Result<Engine> open(const std::filesystem::path& dir, EngineOptions options = {});

  Engine(const Engine&) noexcept;
  Engine& operator=(const Engine&) noexcept;
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  /// The last handle of an open engine closes it.
  ~Engine();

  /// Topics, configuration, offsets of groups.
  Admin admin() const;
  /// Errors: invalid_argument (an option out of range), read_only, closed, invalid_state.
  /// Threads: any.
  Result<Producer> producer(ProducerOptions options = {}) const;
  /// Makes the caller the holder of a transactional id. The holder before it, if it is still there, is
  /// fenced, and what it left open is aborted. Durable on return.
  /// Errors: invalid_argument (an option out of range), invalid_transaction_timeout, read_only, closed,
  /// invalid_state; storage_full, ...: the id could not be stored, and nothing changed; or what was open
  /// could not be aborted. In both cases the holder before is still the holder.
  /// Threads: any.
  Result<TransactionalProducer> transactional_producer(TransactionalProducerOptions options) const;
  /// The named key-value table that transactions change. It need not exist.
  /// @param name  1..100 bytes without a zero byte.
  /// Errors: invalid_argument, closed, invalid_state.
  /// Threads: any.
  Result<State> state(std::string_view name) const;
  /// Errors: invalid_argument (an option out of range), closed, invalid_state.
  /// Threads: any.
  Result<Consumer> consumer(ConsumerOptions options = {}) const;
  /// Errors: invalid_argument (an option out of range; the group's name), group_id_not_found (a consumer
  /// group has this name), read_only, closed, invalid_state.
  /// Threads: any.
  Result<ShareConsumer> share_consumer(ShareConsumerOptions options) const;
  /// Errors: closed, invalid_state.
  /// Threads: any.
  Result<ShareGroups> share_groups() const;
  /// Errors: unknown_topic_or_partition, closed, invalid_state.
  /// Threads: any.
  Result<LogReader> reader(const TopicPartition& topic_partition, LogReaderOptions options = {}) const;

  /// Lets `run` come again and again on the engine's threads for tasks, the first time at once; see
  /// `TaskRun`.
  /// @param name  1..100 bytes without a zero byte. `background_jobs` and `status` show it, cut to 23.
  /// Errors: invalid_argument, read_only, closed, invalid_state · io_error: the system gives no more threads.
  /// Threads: any.
  Result<Task> task(std::string name, TaskRun run) const;

  /// A copy of all counters and gauges.
  /// Threads: any.
  Metrics metrics() const;
  /// Absolute.
  const std::filesystem::path& directory() const noexcept;

  /// Puts everything appended before the call on stable storage, whatever its acks.
  /// Errors: storage_failed (permanent until reopened), closed, read_only, invalid_state (this thread holds a
  /// Claim, for which it would wait).
  /// Threads: any.
  Result<> flush() const;

  /// Finishes running appends, syncs, trims the active segments to their exact length and notes that the
  /// close was clean. Every handle answers `closed` from then on; records already polled stay valid.
  /// Idempotent.
  /// Errors: storage_failed, storage_full, io_error: closed all the same; the next open recovers.
  /// invalid_state: called inside a delivery callback or a task, or by a thread that holds a Claim, which
  /// close would wait for; nothing was closed.
  /// Threads: any.
  Result<> close() const;

 private:
  friend struct detail::EngineImpl;
  explicit Engine(std::shared_ptr<detail::EngineImpl> impl) noexcept;
  std::shared_ptr<detail::EngineImpl> impl_;
};

}  // namespace v0
}  // namespace seriatim
