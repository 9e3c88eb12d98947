// One thread's way with its records.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <random>

#include <seriatim/flow/parallel_consumer.hpp>

#include "flow/parallel/parallel_pool.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// The parts that all threads share; they outlive them.
struct ParallelParts {
  const ParallelConsumerOptions& options;
  const ParallelHandler& handler;
  ParallelPool& pool;
  /// Keeps the first failure, and ends all.
  std::function<void(const Error& failure)> fail;
};

/// The decision on a failure, of the application or of nobody.
Result<OnFailure> decide_on(const ParallelConsumerOptions& options, const ParallelFailure& failure);

/// Threads: one.
class ParallelWorker {
 public:
  /// @param number  counted from 0.
  ParallelWorker(const ParallelParts& parts, std::size_t number)
      : parts_(parts),
        slot_(parts.pool.slot(number)),
        random_(static_cast<std::minstd_rand::result_type>(number + 1)) {}

  /// Until the pool is over.
  void run();

 private:
  using Time = KeyLanes::Time;

  RunEnd handle(const RecordRun& run) noexcept;
  Result<> call(const RecordView& record) noexcept;
  /// How the run goes on behind a record that failed.
  RunEnd end_at(const RecordRun& run, QueuedRecord& record, const Error& failure) noexcept;
  void tell_handled(const ParallelPartition* partition) noexcept;

  const ParallelParts& parts_;
  WorkerSlot& slot_;
  std::minstd_rand random_;
  const ParallelPartition* told_ = nullptr;  ///< In the slot.
  Time reported_{};
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
