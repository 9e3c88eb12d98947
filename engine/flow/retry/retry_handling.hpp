// One record: handled, scheduled again, or dead.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <optional>

#include <seriatim/flow/delayed_messages.hpp>
#include <seriatim/flow/processor.hpp>
#include <seriatim/flow/retry_consumer.hpp>
#include <seriatim/producer.hpp>

#include "flow/retry/retry_headers.hpp"
#include "flow/retry/retry_topics.hpp"
#include "flow/retry/waiting_keys.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// The handler of the processor behind a retry consumer. All that it changes is in the batch's transaction.
///
/// Threads: those of the processor's workers.
class RetryHandling {
 public:
  /// The others outlive this.
  RetryHandling(const RetryConsumerOptions& options, const RetryHandler& handler, flow::RetryTopics& topics,
                DelayedMessages& delayed, Producer checker);

  /// Errors: of the transaction: nothing of the record is kept, and it comes again; or, with
  /// `was_told_to_stop`, that at which the consumer is to end.
  Result<> handle(const RecordView& record, ProcessorOutput& output);
  bool was_told_to_stop() const noexcept { return was_told_to_stop_; }
  RetryMetrics metrics() const noexcept;

 private:
  /// A record in hand.
  struct Case {
    const RecordView& record;
    flow::RetryOrigin origin;  ///< With the failures that it had before.
    bool is_retry;
    Transaction& transaction;
  };
  struct Failure {
    Error error;
    std::exception_ptr exception;
  };

  RetryAttempt attempt_of(const Case& one) const noexcept;
  std::optional<Failure> call(const Case& one, const RetryAttempt& attempt, RetryOutput& output) const;
  Result<> keep_outputs(const Case& one, const RetryOutput& output) const;
  Result<> fail(const Case& one, const Failure& failure);
  Result<> schedule(const Case& one, const Error& error, const RetryPolicy& policy);
  /// @param attempts  that were made.
  Result<> bury(const Case& one, const Error& error, std::uint32_t attempts);
  Result<> send_letter(const Case& one, const Error& error, std::uint32_t attempts);
  /// Puts a record of a waiting key behind the others.
  Result<> hold_back(const Case& one);
  /// Ends the record's part in the order of its key.
  Result<> pass_on(const Case& one) const;
  /// Whether the retry topic takes a record as things are; makes it, where it is gone.
  Result<> check_retry(const ProducerRecord& retry) const;
  /// Whether the record in hand has room in a row of a state.
  static Result<> check_waits(const Case& one);

  const RetryConsumerOptions& options_;
  const RetryHandler& handler_;
  flow::RetryTopics& topics_;
  DelayedMessages& delayed_;
  const Producer checker_;
  const flow::WaitingKeys keys_;

  std::atomic<bool> was_told_to_stop_ = false;
  std::atomic<std::uint64_t> handled_ = 0;
  std::atomic<std::uint64_t> retried_ = 0;
  std::atomic<std::uint64_t> dead_letters_ = 0;
  std::atomic<std::uint64_t> skipped_ = 0;
  std::atomic<std::uint64_t> held_back_ = 0;
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
