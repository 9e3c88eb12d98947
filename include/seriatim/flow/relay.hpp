/// @file
/// `Relay`: copies the records of a topic into another one, exactly once, whatever the two partition counts.
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <seriatim/consumer.hpp>
#include <seriatim/engine.hpp>
#include <seriatim/export.hpp>
#include <seriatim/producer.hpp>
#include <seriatim/record.hpp>
#include <seriatim/result.hpp>
#include <seriatim/topic_config.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// A record that could not be relayed: the target refuses it (record_too_large, invalid_record,
/// invalid_timestamp), or the application's filter or transformation failed at it.
struct RelayFailure {
  Error error;  ///< Its message names the record by topic, partition and offset.
  const RecordView& record;
};

/// The decision on such a record.
enum class RelayDecision : std::uint8_t {
  stop,         ///< Ends the batch without a trace, and with the error. The record comes again with the next.
  skip,         ///< Goes on without the record, for good.
  dead_letter,  ///< Goes on, with the record in `RelayOptions::dead_letter_topic` instead.
};

/// Whether a record is relayed. An exception is a failure of the record.
/// Threads: that of the run; one at a time.
using RelayFilter = std::function<bool(const RecordView& record)>;

/// Makes another record of one: its key, value, timestamp and headers count; topic, partition and offset do
/// not. Nothing: the record is dropped. An error, or an exception, is a failure of the record.
/// Threads: that of the run.
using RelayTransform = std::function<Result<std::optional<OwnedRecord>>(const RecordView& record)>;

/// Decides on a failure. Of a batch that is not committed it is asked again. An exception ends the run, as
/// `stop` does.
/// Threads: that of the run.
using RelayFailureDecision = std::function<RelayDecision(const RelayFailure& failure)>;

struct RelayOptions {
  std::string from{};
  std::string to{};
  /// The fault that committed batches survive: `all` or `leader`.
  Acks acks = Acks::all;
  /// Ends `run` when everything is relayed that was there at `open`; else it goes on with what comes.
  bool until_caught_up = false;
  /// The relay's name, across restarts, 1 .. 200 bytes without a zero byte: its positions are those of the
  /// group "relay:NAME", its transactional id is "relay:NAME:0". Empty: "FROM:TO".
  std::string name{};
  RelayFilter filter{};               ///< Empty: all records.
  RelayTransform transform{};         ///< Behind the filter. Empty: records stay as they are.
  RelayFailureDecision on_failure{};  ///< Empty: stop.
  /// Where `RelayDecision::dead_letter` puts records, with the headers of the dead letters of share groups
  /// (docs/recipes/backlog.md). Made by `open` if it is not there.
  std::string dead_letter_topic{};
  /// Goes on at the log start where records were deleted before they were relayed, and counts what is
  /// missing. False: that is an error.
  bool skip_deleted = false;
  /// Records of a batch, which is one transaction, 1 .. 1'000'000: a soft limit, as batch_bytes. A batch
  /// takes no more polls when it has reached one of them; a poll takes no more than batch_records.
  std::size_t batch_records = 20'000;
  /// Bytes of keys and values of a batch, 1 byte .. 1 GiB.
  std::size_t batch_bytes = 8 * 1024 * 1024;
  /// How long a batch that is not full waits for more, 0 ms or more: fewer commits for later records.
  std::chrono::milliseconds linger{0};
  /// Of the target's batches, as ProducerOptions::compression_type.
  CompressionType compression_type = CompressionType::uncompressed;
  /// Chooses the target's partition. Empty: that of the key, as a producer does; records without a key are
  /// spread.
  Partitioner partitioner{};
  /// `durable`: no record is relayed that a power cut may still take from the source.
  Visibility visibility = Visibility::published;
  /// A batch that takes longer is aborted, and begun again by the next run. As
  /// TransactionalProducerOptions::transaction_timeout.
  std::chrono::milliseconds transaction_timeout{60'000};
};

/// How far a relay is. Counts are of committed batches, since `Relay::open`.
struct RelayProgress {
  std::uint64_t records = 0;       ///< Appended to the target.
  std::uint64_t bytes = 0;         ///< Of their keys, values and headers.
  std::uint64_t dropped = 0;       ///< By the filter or the transformation.
  std::uint64_t skipped = 0;       ///< RelayDecision::skip
  std::uint64_t dead_letters = 0;  ///< RelayDecision::dead_letter
  std::uint64_t deleted = 0;       ///< Offsets that RelayOptions::skip_deleted passed over.
  std::uint64_t batches = 0;
  std::int64_t lag = 0;           ///< Offsets left to read, as the last look found them.
  bool is_caught_up = false;      ///< All is relayed that was there at `open`.
  double records_per_second = 0;  ///< Of the last ten seconds, as all that follows.
  double bytes_per_second = 0;
  /// Until nothing is left (CatchUpEstimate::time_left); nothing also where it is not known yet.
  std::optional<std::chrono::nanoseconds> time_left{};
};

namespace detail {
class RelayImpl;
}

/// Relays a topic into another one of the same engine. Each batch is one transaction: records in the target
/// and positions in the source, so that whatever stops a relay, the next one of its name goes on where it
/// ended, and each record comes once; where EngineOptions::offsets_retention is set, as long as the positions
/// of its group have not expired. Read_committed readers see whole batches.
///
/// Kept are key, value (null too), headers and timestamp, unless the target stamps its own
/// (`message.timestamp.type`). Records of one key and one partition of the source keep their order, unless
/// the partition count of the target changes under way: they are in another partition from then on. Of
/// records of one key in several partitions of the source (its partition count was raised once) the order is
/// not known. Records of aborted transactions are never relayed, those of open ones when they commit.
///
/// A second relay of the same name fences the first. Two of different names relay everything twice.
/// Partitions that the source gets while it runs are relayed from their beginning.
///
/// Begins where its group stands; without a position at the log start. To begin elsewhere, set the group's
/// offsets first (Admin::alter_group_offsets, `seriatim group reset`).
///
/// @code
///   auto relay = Relay::open(engine, {.from = "orders", .to = "wide", .until_caught_up = true}).value();
///   relay.run().value();
/// @endcode
///
/// Threads: any; one run at a time.
class SERIATIM_API Relay {
 public:
  /// Errors: invalid_argument (an option out of range), unknown_topic_or_partition, invalid_state (`name`
  /// relays the source into another topic); as Engine::consumer, Engine::transactional_producer.
  static Result<Relay> open(const Engine& engine, RelayOptions options);

  Relay(Relay&&) noexcept;
  Relay& operator=(Relay&&) noexcept;
  /// Not during a run of a caller, nor within a function of the application. Ends a relay in the background.
  ~Relay();

  /// Relays in the caller's thread, until `stop`, an error, or (RelayOptions::until_caught_up) there is
  /// nothing left that was there at `open`.
  ///
  /// Errors: nothing of the batch in hand is seen, and the call can be repeated, unless the error is fatal():
  ///   - record_too_large, invalid_record, invalid_timestamp, and of the application: a record, and the
  ///     decision was `stop`.
  ///   - unknown_topic_or_partition: the source or the target was deleted. If there is one of that name
  ///     again, it is for another Relay.
  ///   - offset_out_of_range: records were deleted before they were relayed (RelayOptions::skip_deleted).
  ///   - corrupt_record: the message has the place to go on from, with `seriatim group reset`.
  ///   - unknown_member_id: the group "relay:NAME" has members. invalid_state: another thread runs it.
  ///   - producer_fenced: a relay of the same name was opened since.
  ///   - as Transaction::append and Transaction::commit; where that leaves it unknown whether the batch was
  ///     committed, the next run asks again before anything else.
  Result<> run();
  /// One batch, for a program with a loop of its own: waits up to `timeout` for its first record.
  /// @return how many records were taken from the source: 0, if none came.
  /// Errors: as `run`; closed: `stop` was called.
  Result<std::size_t> run_once(std::chrono::milliseconds timeout);
  /// Relays on the engine's threads for tasks (`Engine::task`), a batch in each of their runs: keep batches
  /// and the application's functions short. New records are looked for fifty times a second. Goes on until
  /// `stop`, what `until_caught_up` says, or an error. One that is retriable() or requires_abort() does not
  /// end it: it is reported to the log sink, and the next batch begins a second later. Engine::close and the
  /// destructor end the relay behind its batch.
  /// Errors: invalid_state: it runs already; closed: `stop` was called; as Engine::task.
  Result<> start_in_background();
  /// How the relay in the background has ended: with the errors of `run`. Nothing: it goes on, or was never
  /// begun, or the engine was closed.
  std::optional<Result<>> outcome() const;

  /// Ends the run behind its batch, and all later ones. Returns at once.
  void stop() noexcept;

  /// Threads: any, also beside a run.
  RelayProgress progress() const;
  /// The group that has its positions: "relay:NAME".
  const std::string& group_id() const noexcept;

 private:
  explicit Relay(std::unique_ptr<detail::RelayImpl> impl) noexcept;
  std::unique_ptr<detail::RelayImpl> impl_;
};

}  // namespace v0
}  // namespace seriatim
