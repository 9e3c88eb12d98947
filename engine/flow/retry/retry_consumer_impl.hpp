// Behind `RetryConsumer`: a processor, exactly once, whose handler turns failures into retries and letters.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <seriatim/flow/delayed_messages.hpp>
#include <seriatim/flow/processor.hpp>
#include <seriatim/flow/retry_consumer.hpp>

#include "flow/retry/retry_handling.hpp"
#include "flow/retry/retry_topics.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Threads: any.
class RetryConsumerImpl {
 public:
  /// @param options  in their ranges.
  static Result<RetryConsumer> open(const Engine& engine, RetryConsumerOptions options, RetryHandler handler);

  RetryConsumerImpl(const Engine& engine, RetryConsumerOptions options, RetryHandler handler);
  RetryConsumerImpl(const RetryConsumerImpl&) = delete;
  RetryConsumerImpl& operator=(const RetryConsumerImpl&) = delete;

  Processor& processor() noexcept { return *processor_; }
  DelayedMessages& delayed() noexcept { return *delayed_; }
  RetryMetrics metrics() const noexcept { return handling_->metrics(); }

 private:
  Result<> begin(const Engine& engine);
  /// Retries that could not be delivered, as somebody deleted their topic, get another try.
  Result<> unpark();
  /// No retry is left out where a new group begins at the end.
  Result<> begin_retries_at_first(const Engine& engine) const;
  ProcessorOptions processor_options() const;
  OnFailure decide(const ProcessorFailure& failure) const noexcept;

  const RetryConsumerOptions options_;
  const RetryHandler handler_;
  flow::RetryTopics topics_;
  std::optional<DelayedMessages> delayed_{};
  std::optional<RetryHandling> handling_{};
  std::optional<Processor> processor_{};  ///< The last member: its workers use the others.
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
