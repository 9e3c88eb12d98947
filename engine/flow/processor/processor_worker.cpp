#include "flow/processor/processor_worker.hpp"

#include <string>
#include <utility>

#include <seriatim/exception.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

// A stop wakes the poll: any time will do.
constexpr std::chrono::milliseconds worker_poll_timeout = std::chrono::minutes(1);

std::string place_of(const RecordView& record) {
  return std::string(record.topic()) + "-" + std::to_string(record.partition()) + " offset " +
         std::to_string(record.offset());
}

// Without a decision of the application.
OnFailure usual_decision(const Error& failure) {
  return failure.retriable() || failure.requires_abort() ? OnFailure::retry : OnFailure::stop;
}

}  // namespace

Result<std::unique_ptr<ProcessorWorker>> ProcessorWorker::open(const ProcessorParts& parts,
                                                               std::size_t number) {
  const ProcessorOptions& options = parts.options;
  ConsumerOptions consuming = options.consumer;
  consuming.group_id = options.group_id;
  consuming.commit_acks = options.acks;
  if (!consuming.group_instance_id.empty()) consuming.group_instance_id += "-" + std::to_string(number);
  auto consumer = parts.engine.consumer(std::move(consuming));
  if (!consumer) return consumer.error();
  auto step = DeliveryStep::open(parts.engine, options, number);
  if (!step) return step.error();
  auto subscribed = options.topics.empty() ? consumer->subscribe(options.pattern, options.listener)
                                           : consumer->subscribe(options.topics, options.listener);
  if (!subscribed) return subscribed.error();
  return std::make_unique<ProcessorWorker>(parts, *std::move(consumer), *std::move(step));
}

Result<> ProcessorWorker::run() {
  while (!parts_.control.is_stopping()) {
    if (auto done = run_once(worker_poll_timeout); !done) return done.error();
  }
  return {};
}

Result<std::size_t> ProcessorWorker::run_once(std::chrono::milliseconds timeout) {
  auto records = consumer_.poll(timeout);
  if (records) {
    failing_ = {};
    if (records->empty()) return std::size_t{0};
    ProcessorBatch batch(*records);
    if (auto processed = process(batch); !processed) return processed.error();
    return records->count();
  }
  if (records.error().code() == Errc::wakeup) return std::size_t{0};
  if (records.error().fatal()) return records.error();
  auto decision = decide(records.error(), nullptr);
  if (!decision) return decision.error();
  if (*decision != OnFailure::retry) return records.error();
  parts_.control.wait(parts_.options.retry_backoff);
  return std::size_t{0};
}

Result<> ProcessorWorker::process(ProcessorBatch& batch) {
  has_begun_ = false;
  while (!batch.is_done()) {
    auto tried = try_part(batch);
    if (tried) {
      batch.end_part();
      has_begun_ = false;
      if (failing_.offset < 0) failing_ = {};
      continue;
    }
    auto next = recover(batch, tried.error());
    if (!next) return next.error();
    if (*next != Next::go_on) return {};
  }
  return {};
}

Result<> ProcessorWorker::try_part(ProcessorBatch& batch) {
  has_failed_at_ = false;
  if (!has_begun_) {
    if (auto begun = step_->begin(consumer_, batch.behind_part()); !begun) return begun;
    has_begun_ = true;
  }
  for (; batch.current() != nullptr; batch.pass()) {
    if (batch.is_current_skipped()) continue;
    auto handled = handle(*batch.current());
    has_failed_at_ = !handled;
    if (!handled) return handled;
  }
  return step_->finish(consumer_, batch.behind_part());
}

Result<> ProcessorWorker::handle(const RecordView& record) {
  ProcessorOutput output = step_->output();
  auto handled = [&]() noexcept -> Result<> {
    try {
      return parts_.handler(record, output);
    } catch (...) {
      return current_error();
    }
  }();
  return handled ? handled : handled.error().with_context("handling " + place_of(record));
}

// How a batch that failed goes on.
Result<ProcessorWorker::Next> ProcessorWorker::recover(ProcessorBatch& batch, const Error& failure) {
  const RecordView* const record = has_failed_at_ ? batch.current() : nullptr;
  // Its partitions are another's: so are the records.
  if (record == nullptr && failure.code() == Errc::unknown_member_id) {
    step_->give_up();
    return Next::drop;
  }
  if (record == nullptr && failure.fatal()) return failure;
  auto decision = decide(failure, record);
  const bool is_stopped =
      decision && (*decision == OnFailure::stop || (record == nullptr && *decision == OnFailure::skip));
  if (!decision || is_stopped) {
    const Error& reason = decision ? failure : decision.error();
    auto stopped = stop_at(batch, batch.behind_current());
    return stopped ? reason
                   : reason.with_context("what was handled before was not committed (" +
                                         stopped.error().message() + ")");
  }
  const bool is_retried = *decision == OnFailure::retry;
  if (is_retried) parts_.control.wait(parts_.options.retry_backoff);
  if (is_retried && parts_.control.is_stopping()) {
    // It comes again, to the next processor.
    auto stopped = stop_at(batch, batch.before_current());
    return stopped ? Result<Next>(Next::stop) : Result<Next>(stopped.error());
  }
  if (!is_retried) batch.skip();
  const bool stays = record != nullptr ? step_->keeps_handled() : step_->can_finish_again();
  if (stays || !has_begun_) return Next::go_on;
  step_->give_up();
  has_begun_ = false;
  batch.repeat_part();
  return Next::go_on;
}

Result<OnFailure> ProcessorWorker::decide(const Error& failure, const RecordView* record) {
  const TopicPartition at = record != nullptr
                                ? TopicPartition{std::string(record->topic()), record->partition()}
                                : TopicPartition();
  const Offset offset = record != nullptr ? record->offset() : -1;
  if (failing_.at != at || failing_.offset != offset) failing_ = {.at = at, .offset = offset};
  ++failing_.attempts;
  if (!parts_.options.on_failure) return usual_decision(failure);
  try {
    return parts_.options.on_failure({.error = failure, .record = record, .attempts = failing_.attempts});
  } catch (...) {
    return current_error().with_context("deciding on a failure (" + failure.message() + ")");
  }
}

Result<> ProcessorWorker::stop_at(ProcessorBatch& batch, const TopicPartitionOffsets& behind) {
  if (!has_failed_at_) {
    step_->give_up();  // Outputs may be missing: nothing is committed.
    return {};
  }
  auto stopped = step_->stop(consumer_, batch.before_current(), behind);
  return !stopped && stopped.error().code() == Errc::unknown_member_id ? Result<>() : stopped;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
