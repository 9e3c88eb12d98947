/// @file
/// `RetryConsumer`: records whose handling failed are handled again later, and go to dead letters in the end.
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/consumer.hpp>
#include <seriatim/engine.hpp>
#include <seriatim/error.hpp>
#include <seriatim/export.hpp>
#include <seriatim/producer.hpp>
#include <seriatim/record.hpp>
#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// How often, and after which waits, a record is handled.
struct RetryPolicy {
  /// Calls of the handler for one record, the first included: 1 or more. Attempts of all policies count.
  std::uint32_t max_attempts = 5;
  /// Before the second attempt: 0 ms or more.
  std::chrono::milliseconds delay{1'000};
  /// Each later wait is so many times the one before: 1 (all are the same) to 1'000.
  double multiplier = 2.0;
  /// No wait is longer: `delay` to 3'650 days.
  std::chrono::milliseconds delay_max{std::chrono::minutes(10)};
  /// 0 to 1. Each wait is up to this part of it shorter or longer, so that records that failed together do
  /// not come back together. By how much follows from the record's place and the attempt.
  double jitter = 0.2;

  /// Waits that are all the same.
  static RetryPolicy fixed(std::chrono::milliseconds delay, std::uint32_t max_attempts) {
    return {
        .max_attempts = max_attempts, .delay = delay, .multiplier = 1.0, .delay_max = delay, .jitter = 0.0};
  }
};

/// How a failed record goes on.
enum class OnRetryFailure : std::uint8_t {
  retry,        ///< Is handled again after the policy's wait; dead, if the attempts are used up.
  dead_letter,  ///< Goes to the dead letters at once.
  skip,         ///< Counts as handled.
  stop,         ///< Ends the consumer with the error. The record comes again, with the attempts that it had.
};

struct RetryDecision {
  OnRetryFailure action = OnRetryFailure::retry;
  /// Of `retry`. Nothing: RetryConsumerOptions::policy.
  std::optional<RetryPolicy> policy{};
};

/// The record that is handled, as it was at first, and its history.
///
/// Lifetime: valid while the handler, or the decision, runs.
struct RetryAttempt {
  std::string_view topic{};
  PartitionId partition = -1;
  Offset offset = -1;
  Timestamp timestamp{};
  std::uint32_t number = 1;  ///< Of this attempt, from 1 on.
  std::optional<Timestamp> first_failure{};
  std::string_view last_error{};  ///< The message of the attempt before, at most 1'000 bytes.
};

/// A failure that asks for a decision.
struct RetryFailure {
  /// That was returned, or that stands for an exception.
  const Error& error;
  /// Null: the handler returned the error.
  std::exception_ptr exception;
  /// As it was polled: a retry is a record of the retry topic.
  const RecordView& record;
  const RetryAttempt& attempt;

  /// Whether the handler threw an Exception, or something derived from it.
  template <class Exception>
  bool threw() const {
    if (!exception) return false;
    try {
      std::rethrow_exception(exception);
    } catch (const Exception&) {
      return true;
    } catch (...) {
      return false;
    }
  }
};

namespace detail {
class RetryConsumerImpl;
class RetryHandling;
}  // namespace detail

/// Outputs of the handler. They become true with the record's position, and never if the handler fails.
///
/// Threads: that of the handler.
class SERIATIM_API RetryOutput {
 public:
  RetryOutput(const RetryOutput&) = delete;
  RetryOutput& operator=(const RetryOutput&) = delete;

  /// Appends a record, once the handler has returned without an error. All of it is copied.
  /// Errors: as Producer::check. One that says nothing against the record or its topic (storage_full, ...) is
  /// no failure of the record that is handled, whatever the handler returns then: the batch is handled again,
  /// or ends the consumer, as RetryConsumer::start says.
  Result<> send(const ProducerRecord& record);

 private:
  friend class detail::RetryHandling;
  explicit RetryOutput(const Producer& checker) noexcept : checker_(checker) {}
  struct Owned;
  const Producer& checker_;
  std::vector<std::shared_ptr<const Owned>> sent_{};
  std::optional<Error> engine_failure_{};
};

/// Handles one record. An error, or an exception, is a failure.
/// @param record  as it was polled: a retry is a record of the retry topic, with headers "__retry.*" behind
/// its own; `attempt` knows where it was first.
/// Threads: those of the workers, as many at once.
using RetryHandler =
    std::function<Result<>(const RecordView& record, const RetryAttempt& attempt, RetryOutput& output)>;

/// Decides on a failure. An exception stops the consumer, with its error.
/// Threads: as RetryHandler.
using RetryClassifier = std::function<RetryDecision(const RetryFailure& failure)>;

struct RetryConsumerOptions {
  /// 1..74 bytes without a zero byte. Open one RetryConsumer of a group at a time, for all of `topics`: a
  /// later one takes the retries over, and fences the workers of this.
  std::string group_id{};
  /// At least one. They have to exist, and not to be the retry topic.
  std::vector<std::string> topics{};
  RetryPolicy policy{};
  /// Is asked after every failure. Empty: `retry` with `policy`.
  RetryClassifier classify{};
  /// A record whose key has a record that waits for its retry waits behind it: records of one key and
  /// partition are done in their order. Records without a key are not held up. Only with one worker.
  bool keeps_order_per_key = false;
  /// As ProcessorOptions::workers.
  std::size_t workers = 1;
  /// The fault that positions, retries, letters and outputs survive: `all` or `leader`.
  Acks acks = Acks::all;
  /// Empty: "<group_id>.retry". Made by `open` with as many partitions as the largest of `topics` has.
  std::string retry_topic{};
  /// As ProcessorOptions::consumer; read_committed only. Of `max_poll_bytes` at most 1 MiB counts, so that
  /// a batch of which all records fail has room in one transaction.
  ConsumerOptions consumer{};
  /// As TransactionalProducerOptions: a batch has to be handled in that time, or is handled again.
  std::chrono::milliseconds transaction_timeout{60'000};
  /// Brings retries back in the background, as a task of the engine, from `open` on. False: the owner calls
  /// `deliver_retries` now and then.
  bool delivers_in_background = true;
};

/// Figures of one open object; they begin at zero. Handlings that a failed commit repeats count again.
struct RetryMetrics {
  std::uint64_t handled = 0;       ///< Without a failure.
  std::uint64_t retried = 0;       ///< Failures that wait for a retry.
  std::uint64_t dead_letters = 0;  ///< Failures that went to a dead letter topic.
  std::uint64_t skipped = 0;
  std::uint64_t held_back = 0;  ///< Not handled at first, as their key waited.
};

/// A member of a consumer group that survives poison: a record that fails neither stops its partition nor is
/// lost. In one transaction with its position it is either
///   - scheduled (`DelayedMessages` "retry:<group_id>") to come back through the retry topic, or
///   - appended to "<topic>.DLQ", its dead letter, which says why (`dead_letters.hpp`).
/// Dead letter topics are made by `open`, with the partitions of their topic and without a time limit.
///
/// @code
///   auto consumer = RetryConsumer::open(engine, {.group_id = "billing", .topics = {"orders"}},
///                                       [](const RecordView& order, const RetryAttempt&, RetryOutput&) {
///                                         return charge(order.value().text());
///                                       }).value();
///   consumer.run().value();
/// @endcode
///
/// The handler is called once for each counted attempt, and never more than `max_attempts` times; an attempt
/// whose transaction did not commit (the program died, the commit failed, the partition went to another
/// member) was not counted, and is made again. Effects of the handler other than its outputs are at least
/// once for that reason.
///
/// A record that is too large to wait (with key and headers more than 1 MiB less 8 KiB) is dead at its first
/// failure, and where its key waits, at once. A dead letter that the topic refuses as too large is written
/// without key and value, as Kafka's.
///
/// Threads: any.
class SERIATIM_API RetryConsumer {
 public:
  /// Begins nothing but the delivery of retries.
  /// Errors: invalid_argument (an option out of range, no handler), unknown_topic_or_partition, invalid_topic
  /// (the group's or a topic's name with its suffix is none of a topic: name the `retry_topic`); as
  /// Processor::open, DelayedMessages::open, Admin::create_topic.
  static Result<RetryConsumer> open(const Engine& engine, RetryConsumerOptions options, RetryHandler handler);

  RetryConsumer(RetryConsumer&&) noexcept;
  RetryConsumer& operator=(RetryConsumer&&) noexcept;
  /// `stop` and `wait`. Not within the handler.
  ~RetryConsumer();

  /// As Processor::start. A failure of the engine's is met again where it is retriable() or requires_abort();
  /// another one ends the consumer.
  /// Errors: as Processor::start; closed.
  Result<> start();
  /// As Processor::run.
  /// Errors: as Processor::run; that of a record whose failure was to stop.
  Result<> run();
  /// As Processor::run_once.
  /// Errors: as Processor::run_once; as `run`.
  Result<std::size_t> run_once(std::chrono::milliseconds timeout);
  /// As Processor::stop.
  void stop() noexcept;
  /// As Processor::wait.
  /// Errors: as Processor::wait; as `run`.
  Result<> wait();

  /// Appends retries that are due to the retry topic, on this thread.
  /// @return how many.
  /// Errors: as DelayedMessages::deliver.
  Result<std::uint64_t> deliver_retries();
  RetryMetrics metrics() const noexcept;

 private:
  friend class detail::RetryConsumerImpl;
  explicit RetryConsumer(std::unique_ptr<detail::RetryConsumerImpl> impl) noexcept;
  std::unique_ptr<detail::RetryConsumerImpl> impl_;
};

}  // namespace v0
}  // namespace seriatim
