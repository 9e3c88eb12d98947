// One worker of a processor: a member of the group, and its way with each batch.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <seriatim/flow/processor.hpp>

#include "flow/processor/delivery_step.hpp"
#include "flow/processor/processor_batch.hpp"
#include "flow/processor/processor_control.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// The parts that all workers share; they outlive them.
struct ProcessorParts {
  const Engine& engine;
  const ProcessorOptions& options;
  const ProcessorHandler& handler;
  ProcessorControl& control;
};

/// Threads: one at a time, but for `wake`.
class ProcessorWorker {
 public:
  /// Joins the group.
  /// Errors: as Engine::consumer, Consumer::subscribe and DeliveryStep::open.
  static Result<std::unique_ptr<ProcessorWorker>> open(const ProcessorParts& parts, std::size_t number);
  ProcessorWorker(const ProcessorParts& parts, Consumer consumer, std::unique_ptr<DeliveryStep> step)
      : parts_(parts), consumer_(std::move(consumer)), step_(std::move(step)) {}

  /// Until a stop, or a failure.
  Result<> run();
  /// As Processor::run_once.
  Result<std::size_t> run_once(std::chrono::milliseconds timeout);
  /// Leaves the group. Idempotent.
  void close() noexcept { consumer_.close(); }
  /// Ends a poll that waits.
  /// Threads: any.
  void wake() noexcept { consumer_.wakeup(); }

 private:
  /// The failures in a row of one record, or of one step.
  struct Failing {
    TopicPartition at{};
    Offset offset = -1;  ///< -1: of no record.
    std::uint32_t attempts = 0;
  };
  enum class Next : std::uint8_t { go_on, drop, stop };

  Result<> process(ProcessorBatch& batch);
  Result<> try_part(ProcessorBatch& batch);
  Result<> handle(const RecordView& record);
  Result<Next> recover(ProcessorBatch& batch, const Error& failure);
  Result<OnFailure> decide(const Error& failure, const RecordView* record);
  Result<> stop_at(ProcessorBatch& batch, const TopicPartitionOffsets& behind);

  const ProcessorParts parts_;
  Consumer consumer_;
  const std::unique_ptr<DeliveryStep> step_;
  Failing failing_{};
  bool has_begun_ = false;      ///< The part of the batch.
  bool has_failed_at_ = false;  ///< The last failure was that of the current record.
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
