#include "flow/parallel/parallel_worker.hpp"

#include <string>

#include <seriatim/exception.hpp>

#include "flow/parallel/backoff.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

// A worker that has been busy for so long tells how far it is. Arbitrary: much more than the telling costs.
constexpr std::chrono::microseconds report_every{200};

std::string parallel_place_of(const RecordView& record) {
  return std::string(record.topic()) + "-" + std::to_string(record.partition()) + " offset " +
         std::to_string(record.offset());
}

}  // namespace

Result<OnFailure> decide_on(const ParallelConsumerOptions& options, const ParallelFailure& failure) {
  if (!options.on_failure) return failure.error.retriable() ? OnFailure::retry : OnFailure::stop;
  try {
    return options.on_failure(failure);
  } catch (...) {
    return current_error().with_context("deciding on a failure (" + failure.error.message() + ")");
  }
}

void ParallelWorker::run() {
  while (parts_.pool.fill(slot_)) {
    reported_ = std::chrono::steady_clock::now();
    while (const RecordRun* const run = slot_.claim()) {
      tell_handled(run->first->slice->partition);
      slot_.note(handle(*run));
      const Time now = std::chrono::steady_clock::now();
      if (now - reported_ < report_every) continue;
      parts_.pool.report();
      reported_ = now;
    }
    tell_handled(nullptr);
  }
}

void ParallelWorker::tell_handled(const ParallelPartition* partition) noexcept {
  if (told_ == partition) return;
  slot_.handling.store(partition, std::memory_order_seq_cst);
  told_ = partition;
}

RunEnd ParallelWorker::handle(const RecordRun& run) noexcept {
  const ParallelPartition& partition = *run.first->slice->partition;
  for (QueuedRecord* record = run.first; record != nullptr; record = record->next) {
    if (!parts_.pool.is_wanted(partition)) return {.run = run, .rest = record, .fate = RestFate::drop};
    if (auto handled = call(*record->view); !handled) {
      const RunEnd end = end_at(run, *record, handled.error());
      if (end.fate != RestFate::none) return end;
    }
    if (record->next != nullptr && std::chrono::steady_clock::now() - reported_ >= report_every)
      return {.run = run, .rest = record->next, .fate = RestFate::again};
  }
  return {.run = run};
}

Result<> ParallelWorker::call(const RecordView& record) noexcept {
  try {
    return parts_.handler(record);
  } catch (...) {
    return current_error();
  }
}

RunEnd ParallelWorker::end_at(const RecordRun& run, QueuedRecord& record, const Error& failure) noexcept try {
  ++record.attempts;
  const Error placed = failure.with_context("handling " + parallel_place_of(*record.view));
  const auto decision =
      decide_on(parts_.options, {.error = placed, .record = record.view, .attempts = record.attempts});
  if (decision && *decision == OnFailure::skip) return {.run = run};
  if (decision && *decision == OnFailure::retry) {
    const double chance = std::uniform_real_distribution<double>(0, 1)(random_);
    return {.run = run,
            .rest = &record,
            .fate = RestFate::wait,
            .due = std::chrono::steady_clock::now() +
                   backoff_of(parts_.options.backoff, record.attempts, chance)};
  }
  parts_.fail(decision ? placed : decision.error());
  return {.run = run, .rest = &record, .fate = RestFate::drop};
} catch (...) {
  parts_.fail(current_error());
  return {.run = run, .rest = &record, .fate = RestFate::drop};
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
