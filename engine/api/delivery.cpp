#include "api/delivery.hpp"

#include <utility>

#include "api/deadline.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

void DeliveryState::complete(const Result<RecordMetadata>& result) {
  std::coroutine_handle<> waiter;
  {
    const base::MutexLock lock(mutex_);
    outcome_ = result;
    waiter = std::exchange(waiter_, {});
    // Under the lock: the waiter may destroy this object as soon as it sees the outcome.
    done_.notify_all();
  }
  if (waiter) waiter.resume();
}

bool DeliveryState::is_complete() const {
  const base::MutexLock lock(mutex_);
  return outcome_.has_value();
}

Result<RecordMetadata> DeliveryState::wait() {
  const base::MutexLock lock(mutex_);
  while (!outcome_) done_.wait(mutex_);
  return *outcome_;
}

bool DeliveryState::wait_until(std::chrono::steady_clock::time_point deadline) {
  const base::MutexLock lock(mutex_);
  while (!outcome_) {
    if (!done_.wait_until(mutex_, deadline)) return outcome_.has_value();
  }
  return true;
}

bool DeliveryState::suspend(std::coroutine_handle<> handle) {
  const base::MutexLock lock(mutex_);
  if (outcome_) return false;
  waiter_ = handle;
  return true;
}

}  // namespace detail

DeliveryFuture::DeliveryFuture(Result<RecordMetadata> outcome) : outcome_(std::move(outcome)) {}
DeliveryFuture::DeliveryFuture(std::shared_ptr<detail::DeliveryState> state) : state_(std::move(state)) {}
DeliveryFuture::DeliveryFuture(DeliveryFuture&&) noexcept = default;
DeliveryFuture& DeliveryFuture::operator=(DeliveryFuture&&) noexcept = default;
DeliveryFuture::~DeliveryFuture() = default;

bool DeliveryFuture::ready() const noexcept { return outcome_ || (state_ && state_->is_complete()); }

Result<RecordMetadata> DeliveryFuture::get() {
  if (outcome_) return *outcome_;
  if (state_) return state_->wait();
  return Error(Errc::invalid_state, "this DeliveryFuture was moved from; ask the one it was moved to");
}

bool DeliveryFuture::wait_for(std::chrono::nanoseconds timeout) const {
  if (outcome_) return true;
  return state_ && state_->wait_until(api::deadline_after(timeout));
}

bool DeliveryFuture::await_suspend(std::coroutine_handle<> handle) {
  return state_ && state_->suspend(handle);
}

}  // namespace v0
}  // namespace seriatim

namespace seriatim::api {

void Delivery::complete(const Result<RecordMetadata>& result) {
  memory.release();
  if (interceptors) {
    for (const auto& interceptor : *interceptors) {
      if (interceptor.on_acknowledgement) interceptor.on_acknowledgement(result);
    }
  }
  if (callback) callback(result);
  if (state) state->complete(result);
  in_flight.release();
}

}  // namespace seriatim::api
