// `RetryConsumer`: options and the handle.
#include <seriatim/flow/retry_consumer.hpp>

#include <string>
#include <utility>

#include <seriatim/exception.hpp>

#include "flow/retry/retry_consumer_impl.hpp"
#include "flow/retry/retry_policy.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

// With "retry:" a name of DelayedMessages.
constexpr std::size_t retry_group_bytes_max = 74;

Result<> check_retry_options(const RetryConsumerOptions& options) {
  if (options.group_id.empty() || options.group_id.size() > retry_group_bytes_max ||
      options.group_id.find('\0') != std::string::npos) {
    return Error(Errc::invalid_argument, "RetryConsumerOptions::group_id has " +
                                             std::to_string(options.group_id.size()) +
                                             " bytes; it must be 1 to " +
                                             std::to_string(retry_group_bytes_max) + ", none of them zero");
  }
  if (options.topics.empty()) {
    return Error(Errc::invalid_argument, "RetryConsumerOptions::topics is empty; name the topics to consume");
  }
  if (options.keeps_order_per_key && options.workers != 1) {
    return Error(Errc::invalid_argument,
                 "RetryConsumerOptions has keeps_order_per_key and " + std::to_string(options.workers) +
                     " workers; a record and a retry of its key have to be one worker's: set workers to 1");
  }
  if (options.consumer.isolation_level != IsolationLevel::read_committed) {
    return Error(
        Errc::invalid_argument,
        "RetryConsumerOptions::consumer reads what is not committed; a retry that is aborted would be "
        "handled: set isolation_level to read_committed");
  }
  return flow::check_policy(options.policy);
}

Error moved_from_retry_consumer() {
  return {Errc::closed, "this RetryConsumer was moved from; use the one it was moved to"};
}

}  // namespace

RetryConsumer::RetryConsumer(std::unique_ptr<detail::RetryConsumerImpl> impl) noexcept
    : impl_(std::move(impl)) {}
RetryConsumer::RetryConsumer(RetryConsumer&&) noexcept = default;
RetryConsumer& RetryConsumer::operator=(RetryConsumer&&) noexcept = default;
RetryConsumer::~RetryConsumer() = default;

Result<RetryConsumer> RetryConsumer::open(const Engine& engine, RetryConsumerOptions options,
                                          RetryHandler handler) try {
  if (auto checked = check_retry_options(options); !checked) return checked.error();
  if (!handler)
    return Error(Errc::invalid_argument, "RetryConsumer::open was called without a handler; give one");
  return detail::RetryConsumerImpl::open(engine, std::move(options), std::move(handler));
} catch (...) {
  return current_error();
}

Result<> RetryConsumer::start() {
  if (!impl_) return moved_from_retry_consumer();
  return impl_->processor().start();
}
Result<> RetryConsumer::run() {
  if (!impl_) return moved_from_retry_consumer();
  return impl_->processor().run();
}
Result<std::size_t> RetryConsumer::run_once(std::chrono::milliseconds timeout) {
  if (!impl_) return moved_from_retry_consumer();
  return impl_->processor().run_once(timeout);
}
void RetryConsumer::stop() noexcept {
  if (impl_) impl_->processor().stop();
}
Result<> RetryConsumer::wait() {
  if (!impl_) return moved_from_retry_consumer();
  return impl_->processor().wait();
}
Result<std::uint64_t> RetryConsumer::deliver_retries() {
  if (!impl_) return moved_from_retry_consumer();
  return impl_->delayed().deliver();
}
RetryMetrics RetryConsumer::metrics() const noexcept { return impl_ ? impl_->metrics() : RetryMetrics(); }

}  // namespace v0
}  // namespace seriatim
