/// @file
/// `Processor`: one loop that consumes, handles and commits, with the delivery named.
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/consumer.hpp>
#include <seriatim/engine.hpp>
#include <seriatim/export.hpp>
#include <seriatim/record.hpp>
#include <seriatim/result.hpp>
#include <seriatim/transaction.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// How often a record is handled, whatever stops the program, or takes a partition to another worker.
enum class Delivery : std::uint8_t {
  at_most_once,   ///< Positions are committed before their records are handled: a fault may lose some.
  at_least_once,  ///< Positions are committed behind their records: a fault may repeat some.
  /// Outputs, state and positions of a batch are one transaction. Effects elsewhere may repeat.
  exactly_once,
};

/// The decision on a failure.
enum class OnFailure : std::uint8_t {
  retry,  ///< Once more, after `ProcessorOptions::retry_backoff`.
  skip,   ///< Goes on behind the record. Where no record failed, as `stop`.
  stop,   ///< Ends all workers; `wait` and `run` return the error.
};

/// A failure that asks for a decision.
struct ProcessorFailure {
  /// Of the handler, with its record in the message; or of a poll, of outputs, a commit or a transaction.
  Error error;
  /// The record that the handler failed at, valid during the call; null where it was none of one record.
  const RecordView* record = nullptr;
  /// How often this record, or this step, has failed in a row: 1 or more.
  std::uint32_t attempts = 1;
};

namespace detail {
class DeliveryStep;
class ProcessorImpl;
}  // namespace detail

/// The changes of a handler beside its record. Valid while it runs.
///
/// Threads: that of the handler.
class SERIATIM_API ProcessorOutput {
 public:
  ProcessorOutput(const ProcessorOutput&) = delete;
  ProcessorOutput& operator=(const ProcessorOutput&) = delete;

  /// Appends a record. Under exactly_once with the transaction of the batch; else at once, with
  /// ProcessorOptions::acks: under at_least_once positions are committed only when all of a batch were
  /// acknowledged, and one that was not fails the batch; under at_most_once this waits for it.
  /// Errors: as Transaction::send, or as Producer::send.
  Result<> send(const ProducerRecord& record);
  /// A named table, to be changed with the transaction of the batch. Valid while the handler runs. Of workers
  /// that change one key at once the last commit counts: let a key belong to one partition.
  /// Errors: invalid_state: not under exactly_once.
  Result<TransactionTable> state(std::string_view name);
  /// The transaction of the batch, for calls that take one, as DelayedMessages::schedule. It is the
  /// processor's to end; valid while the handler runs.
  /// Errors: invalid_state: not under exactly_once.
  Result<Transaction*> transaction();

 private:
  friend class detail::DeliveryStep;
  explicit ProcessorOutput(detail::DeliveryStep& step) noexcept : step_(step) {}
  detail::DeliveryStep& step_;
};

/// Handles one record. An error, or an exception, is a failure (`ProcessorOptions::on_failure`). Records of a
/// partition come in their order.
/// Threads: those of the workers, as many at once.
using ProcessorHandler = std::function<Result<>(const RecordView& record, ProcessorOutput& output)>;

/// Decides on a failure. An exception stops the processor, with its error.
/// Threads: as ProcessorHandler.
using ProcessorDecision = std::function<OnFailure(const ProcessorFailure& failure)>;

struct ProcessorOptions {
  std::string group_id{};
  /// At least one, or a pattern.
  std::vector<std::string> topics{};
  Delivery delivery = Delivery::at_least_once;
  /// Members of the group, which share the partitions, each with a thread of its own, 1 .. 1'000.
  std::size_t workers = 1;
  /// The fault that commits, outputs and transactions survive: `all` or `leader`.
  Acks acks = Acks::all;
  /// Is asked after a failure, unless it is fatal() and none of a record: that ends the processor. Empty:
  /// retries what is retriable() or requires_abort(), for ever, and stops at anything else.
  ProcessorDecision on_failure{};
  /// Between a failure and its retry, 0 ms or more. `stop` ends it.
  std::chrono::milliseconds retry_backoff{100};
  /// Instead of `topics`.
  TopicPattern pattern{};
  /// Of each worker's consumer. `max_poll_records` is the size of a batch. group_id, commit_acks and
  /// auto_commit are the processor's own: leave them as they are. A group_instance_id gets "-0", "-1", ...
  /// for each worker.
  ConsumerOptions consumer{};
  /// Under exactly_once: with "-0", "-1", ... the transactional ids of the workers. A processor that
  /// opens them later fences these. Empty: the group_id.
  std::string transactional_id{};
  /// Of TransactionalProducerOptions: a batch has to be handled in that time, or is handled again.
  std::chrono::milliseconds transaction_timeout{60'000};
  /// Of every worker's consumer, on its thread. It need not commit: the
  /// processor does.
  RebalanceListener listener{};
};

/// Polls, handles and commits, batch by batch, in threads of its own (`start`) or in the caller's (`run`,
/// `run_once`).
///
/// A worker that has lost its partitions while it handled a batch drops that, without an error: whoever has
/// them now handles it.
///
/// A failure of the handler, decided:
///   - retry: the record is handled again. Under exactly_once the transaction is aborted, and the records
///     before it in the batch are handled again first, in a transaction of their own.
///   - skip: the record counts as handled. Under exactly_once nothing of it, and of its outputs, is kept.
///   - stop: the record comes again to the next processor of the group; under at_most_once that goes on
///     behind it. The records before it in the batch are committed; under exactly_once they are aborted, and
///     come again too.
///
/// @code
///   auto processor = Processor::open(engine, {.group_id = "billing", .topics = {"orders"},
///                                             .delivery = Delivery::exactly_once},
///                                    [](const RecordView& order, ProcessorOutput& output) {
///                                      return output.send({.topic = "invoices", .value = order.value()});
///                                    }).value();
///   processor.start().value();
/// @endcode
///
/// Threads: any.
class SERIATIM_API Processor {
 public:
  /// Begins nothing.
  /// Errors: invalid_argument (an option out of range, no handler).
  static Result<Processor> open(const Engine& engine, ProcessorOptions options, ProcessorHandler handler);

  Processor(Processor&&) noexcept;
  Processor& operator=(Processor&&) noexcept;
  /// `stop` and `wait`. Not within the handler.
  ~Processor();

  /// Begins all workers.
  /// Errors: invalid_state: begun before, also by `run` or `run_once`. As Engine::consumer,
  /// Consumer::subscribe, Engine::producer, Engine::transactional_producer; out_of_memory, where the system
  /// gives no thread: nothing runs then, and it can be called again.
  Result<> start();
  /// Is the one worker, in the caller's thread, until `stop` or a failure ends it.
  /// Errors: as `start`; the failure.
  Result<> run();
  /// Is the one worker, for one poll of up to `timeout` and its batch: for a program with a loop of its own.
  /// `stop` and `wait` end it.
  /// @return how many records the poll gave.
  /// Errors: as `run`; invalid_state: in use by another thread. closed: it has ended.
  Result<std::size_t> run_once(std::chrono::milliseconds timeout);

  /// Asks all workers to end: each finishes the batch in hand, commits it and leaves the group. A record that
  /// fails then is not retried, and comes again. Returns at once; within the handler, too.
  void stop() noexcept;
  /// Waits until all workers have ended, after `stop` or a failure.
  /// Errors: the first failure; the others go nowhere else. invalid_state: within the handler.
  Result<> wait();

 private:
  explicit Processor(std::unique_ptr<detail::ProcessorImpl> impl) noexcept;
  std::unique_ptr<detail::ProcessorImpl> impl_;
};

}  // namespace v0
}  // namespace seriatim
