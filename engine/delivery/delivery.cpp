#include "delivery/delivery.hpp"

#include <utility>

#include "base/deadline.hpp"
#include "base/moved_from.hpp"

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
// Not the default: an optional that was moved from still has a value, whose error has no text any more.
DeliveryFuture::DeliveryFuture(DeliveryFuture&& other) noexcept
    : outcome_(std::exchange(other.outcome_, std::nullopt)), state_(std::move(other.state_)) {}
DeliveryFuture& DeliveryFuture::operator=(DeliveryFuture&& other) noexcept {
  if (this == &other) return *this;
  outcome_ = std::exchange(other.outcome_, std::nullopt);
  state_ = std::move(other.state_);
  return *this;
}
DeliveryFuture::~DeliveryFuture() = default;

bool DeliveryFuture::ready() const noexcept { return !state_ || state_->is_complete(); }

Result<RecordMetadata> DeliveryFuture::get() {
  if (outcome_) return *outcome_;
  if (state_) return state_->wait();
  return base::moved_from("DeliveryFuture");
}

bool DeliveryFuture::wait_for(std::chrono::nanoseconds timeout) const {
  return !state_ || state_->wait_until(base::deadline_after(timeout));
}

bool DeliveryFuture::await_suspend(std::coroutine_handle<> handle) {
  return state_ && state_->suspend(handle);
}

}  // namespace v0
}  // namespace seriatim

namespace seriatim::delivery {

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

}  // namespace seriatim::delivery
