/// @file
/// `Producer`: appends records.
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <seriatim/export.hpp>
#include <seriatim/record.hpp>
#include <seriatim/result.hpp>
#include <seriatim/topic_config.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// The behaviour of `send` while `buffer_memory` is used up.
enum class OnFull : std::uint8_t {
  block,  ///< Waits up to `max_block`, then fails with timed_out.
  fail,   ///< Fails at once with queue_full.
};

/// How a partition is chosen for a record that names none.
enum class Partitioning : std::uint8_t {
  by_key,       ///< Kafka's default: murmur2 of the key; without a key, sticky.
  sticky,       ///< Keys are ignored: one partition until `batch_size` bytes went there, then another.
  round_robin,  ///< One after another, keys ignored.
};

/// Chooses a partition, 0 .. `partition_count` - 1. Called by `send`, possibly from several threads at once.
using Partitioner =
    std::function<PartitionId(std::string_view topic, BytesView key, PartitionId partition_count)>;

/// Sees every record before it is appended and every outcome after. Kafka's ProducerInterceptor.
///
/// `on_send` may change what the record points at, if that lives until `send` returns. Both may be called
/// from several threads at once; they must not throw. They run in the order in which they were given.
struct ProducerInterceptor {
  std::function<void(ProducerRecord&)> on_send{};
  std::function<void(const Result<RecordMetadata>&)> on_acknowledgement{};
};

/// Options of a producer. Names and defaults are Kafka's where it has them.
struct ProducerOptions {
  Acks acks = Acks::all;
  /// How long a record may wait for others to share its batch, up to 24 hours. 0: append in the caller's
  /// thread.
  std::chrono::microseconds linger{0};
  /// Keeps the producer's identity across restarts of the application: whoever opens the name again goes on
  /// with its sequences, and what it repeats is recognised. 1..255 bytes without a zero byte; implies
  /// enable_idempotence. Opening a name that is open fences its older holder.
  std::string name{};
  /// Codec of this producer's batches. A topic's `compression.type` other than `producer` overrules it.
  CompressionType compression_type = CompressionType::uncompressed;
  /// Codec's own level; default: the codec's default.
  std::optional<int> compression_level{};
  /// Bytes at which a gathering batch is full, 1 .. 16 MiB. Matters with linger > 0, and to the sticky
  /// partitioner.
  std::size_t batch_size = 64 * 1024;
  /// Bytes of records that may wait in this producer, batches that linger and batches that wait for their
  /// sync. 1 or more.
  std::size_t buffer_memory = 32 * 1024 * 1024;
  OnFull on_full = OnFull::block;
  /// How long a send waits under OnFull::block, 0 ms or more. Beyond a year: a year.
  std::chrono::milliseconds max_block{60'000};
  /// Number the records, so that one that is sent again with its number is stored once (Kafka's
  /// enable.idempotence, there on by default). Off by default: there is no wire here that could lose an
  /// answer, so that only an application that repeats itself needs it.
  bool enable_idempotence = false;
  Partitioning partitioning = Partitioning::by_key;
  /// Overrules `partitioning` when set.
  Partitioner partitioner{};
  std::vector<ProducerInterceptor> interceptors{};
};

namespace detail {
struct ProducerImpl;
struct DeliveryState;
struct ClaimImpl;
}  // namespace detail

/// The outcome of a `send`, now or later. Dropping it is fine: the record is stored all the same.
///
/// Cost: a future that is complete when `send` returns (acks leader or none, linger 0) holds no allocation.
/// Threads: one at a time.
class SERIATIM_API DeliveryFuture {
 public:
  DeliveryFuture(DeliveryFuture&&) noexcept;
  DeliveryFuture& operator=(DeliveryFuture&&) noexcept;
  ~DeliveryFuture();

  /// Whether `get` would return at once.
  bool ready() const noexcept;
  /// Waits for the outcome and returns it; may be called again.
  /// Errors: those of `Producer::send`.
  Result<RecordMetadata> get();
  /// Waits at most `timeout`; true if the outcome is known then.
  bool wait_for(std::chrono::nanoseconds timeout) const;

  // co_await producer.send(...): resumes on the thread that completes the send.
  bool await_ready() const noexcept { return ready(); }
  bool await_suspend(std::coroutine_handle<> handle);
  Result<RecordMetadata> await_resume() { return get(); }

 private:
  friend struct detail::ProducerImpl;
  explicit DeliveryFuture(Result<RecordMetadata> outcome);
  explicit DeliveryFuture(std::shared_ptr<detail::DeliveryState> state);
  std::optional<Result<RecordMetadata>> outcome_;
  std::shared_ptr<detail::DeliveryState> state_;
};

/// Called once with the outcome. Per partition, callbacks come in the order of the sends. It runs on the
/// thread that completes the send: the caller's with linger 0 and acks leader or none, else a thread of the
/// engine. It must not throw and should be short. On the engine's thread `flush` and `close` answer
/// invalid_state, and a send that finds `buffer_memory` used up fails with queue_full instead of waiting;
/// handles may be dropped there. The same holds for a coroutine that a send resumed.
using DeliveryCallback = std::function<void(const Result<RecordMetadata>&)>;

/// Space for one record's value inside the mapped segment, to be filled in place and committed.
///
/// While it lives, other appends to the partition wait, and so does everything that looks at the partition as
/// a whole (flush, close, metrics, Admin; a commit at `all` behind transactions at `leader` that wrote to
/// it): fill it at once, and call none of these on the thread that holds it. Destroying it uncommitted
/// aborts: nothing was written.
/// Threads: used, committed and destroyed on the thread that made it.
class SERIATIM_API Claim {
 public:
  Claim(Claim&&) noexcept;
  Claim& operator=(Claim&&) noexcept;
  ~Claim();

  /// The bytes to fill; their number is what was claimed. Not cleared.
  std::span<std::byte> value() noexcept;
  /// Appends the record.
  /// Errors: as `Producer::append`; the claim is over in any case. invalid_state: already committed or
  /// aborted.
  Result<RecordMetadata> commit();
  /// Gives the space back. Nothing of it will ever be seen.
  void abort() noexcept;

 private:
  friend struct detail::ClaimImpl;
  explicit Claim(std::unique_ptr<detail::ClaimImpl> impl) noexcept;
  std::unique_ptr<detail::ClaimImpl> impl_;
};

/// Appends records to topics. Made by `Engine::producer`.
///
/// There is no sender thread: with `linger` 0 a record is in the log when the call returns.
/// Order: records that one thread sends to one partition are stored in that order.
/// Threads: any number may use one Producer at the same time.
class SERIATIM_API Producer {
 public:
  Producer(Producer&&) noexcept;
  Producer& operator=(Producer&&) noexcept;
  /// close() with its default bound: nothing accepted is dropped silently (what fails then is counted in
  /// `Metrics::background_errors` and reported to the log sink).
  ~Producer();

  /// Appends one record. The outcome is in the future.
  ///
  /// Errors (in the future; nothing was written, unless outcome() says unknown):
  ///   - unknown_topic_or_partition, invalid_argument, invalid_record, invalid_timestamp: fix the record.
  ///   - record_too_large: its batch would exceed the topic's `max.message.bytes`.
  ///   - queue_full, timed_out: `buffer_memory` is used up (see `OnFull`).
  ///   - storage_full: no space; what was acknowledged is safe. Retry once there is.
  ///   - storage_failed: a sync failed (outcome unknown); reopen the engine.
  ///   - out_of_order_sequence_number, producer_fenced: of an idempotent producer.
  ///   - read_only, closed, invalid_state.
  /// Threads: any.
  /// Durability: as `acks` says, when the future completes.
  /// Cost: linger 0: one encode and one copy into the mapped segment under the partition's mutex; no
  /// allocation, no system call unless the segment needs space or acks is all.
  DeliveryFuture send(const ProducerRecord& record);

  /// The same; `callback` gets the outcome.
  /// Errors: only those known at once; then the callback is not called.
  /// Threads: any.
  Result<> send(const ProducerRecord& record, DeliveryCallback callback);

  /// The same, and waits for the outcome.
  /// Errors: as `send`.
  /// Threads: any.
  Result<RecordMetadata> send_sync(const ProducerRecord& record);

  /// Whether `send` would take this record, as things are: its topic and partition, size, timestamp, and a
  /// key where one is needed. Appends nothing. For who has to send it later, and can not go back then.
  /// Errors: as `send`, of what is wrong with the record.
  /// Threads: any.
  /// Cost: the partition's mutex; where its topic compresses, a compression.
  Result<> check(const ProducerRecord& record) const;

  /// Appends `records` to one partition as one record batch: all of them become visible together or none
  /// does. Lingering records of this producer for the partition are appended first.
  ///
  /// @param records  1 .. 2^31 - 1, together at most the topic's `max.message.bytes` after compression.
  /// Errors, Threads,
  /// Durability: as `send`; interceptors are not called. Where records are refused, the message names each
  /// with its index and the reason (the first twenty); the code is that of the first.
  /// Cost: two copies of the bytes (encode, place), one mutex, no allocation after warm-up.
  Result<AppendResult> append(const TopicPartition& topic_partition, std::span<const Record> records);

  /// Claims room for one record with a value of `value_size` bytes, to be written in place (no compression).
  ///
  /// Errors: as `append`; invalid_state if this thread already holds a claim on the partition.
  /// Threads: any; see `Claim`.
  /// Cost: no copy of the value at all.
  Result<Claim> try_claim(const TopicPartition& topic_partition, std::size_t value_size, BytesView key = {});

  /// As `append`, numbered by the application: `first_sequence` and the following numbers. A batch of exactly
  /// the sequences of one of the last five is a duplicate: nothing is written, and the result is that of the
  /// first time.
  /// Errors: as `append`; out_of_order_sequence_number: not the next one · invalid_state: not an idempotent
  /// producer · invalid_argument (negative).
  Result<AppendResult> append(const TopicPartition& topic_partition, std::span<const Record> records,
                              Sequence first_sequence);

  /// The number of the last record that this producer's name has stored in a partition; nothing if there is
  /// none, or it is forgotten (`EngineOptions::producer_id_expiration`). An application asks this after a
  /// crash to know where to go on.
  /// Errors: unknown_topic_or_partition; invalid_state: not an idempotent producer.
  /// Threads: any.
  /// Cost: the partition's mutex.
  Result<std::optional<Sequence>> last_sequence(const TopicPartition& topic_partition) const;
  /// Its id in the log; nothing if it is not idempotent.
  std::optional<ProducerId> producer_id() const noexcept;

  /// Waits until everything sent before has its outcome.
  /// Errors: timed_out: some records still wait; they stay queued. invalid_state: called inside a callback.
  /// Errors of single records are in their futures only.
  /// Threads: any, but not inside a callback.
  Result<> flush(std::chrono::milliseconds timeout = std::chrono::minutes(2));

  /// flush(timeout), then refuses further sends. Idempotent.
  /// Errors: as `flush`. After timed_out the producer is closed all the same, and what still waits gets its
  /// outcome when it is known.
  /// Threads: any, but not inside a callback.
  Result<> close(std::chrono::milliseconds timeout = std::chrono::minutes(2));

 private:
  friend struct detail::ProducerImpl;
  explicit Producer(std::shared_ptr<detail::ProducerImpl> impl) noexcept;
  std::shared_ptr<detail::ProducerImpl> impl_;
};

}  // namespace v0
}  // namespace seriatim
