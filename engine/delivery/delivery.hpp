// The outcome of one accepted record on its way to whoever waits for it: a future, a callback, a coroutine.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <seriatim/producer.hpp>

#include "base/mutex.hpp"
#include "delivery/buffer_memory.hpp"
#include "delivery/in_flight.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Shared by a DeliveryFuture and whoever completes it. Any thread.
struct DeliveryState {
  /// Sets the outcome, wakes waiters, resumes a coroutine. Once.
  void complete(const Result<RecordMetadata>& result);
  bool is_complete() const;
  Result<RecordMetadata> wait();
  bool wait_until(std::chrono::steady_clock::time_point deadline);
  /// False if the outcome is there already: the coroutine goes on at once.
  bool suspend(std::coroutine_handle<> handle);

 private:
  mutable base::Mutex mutex_;
  base::ConditionVariable done_;
  std::optional<Result<RecordMetadata>> outcome_ SERIATIM_GUARDED_BY(mutex_);
  std::coroutine_handle<> waiter_ SERIATIM_GUARDED_BY(mutex_);
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim

namespace seriatim::delivery {

/// Everything to be done when the outcome of one record is known. Movable; completed exactly once.
struct Delivery {
  std::shared_ptr<detail::DeliveryState> state{};  ///< May be empty.
  DeliveryCallback callback{};                     ///< May be empty.
  std::shared_ptr<const std::vector<ProducerInterceptor>> interceptors{};
  MemoryLease memory{};      ///< Given back before anybody is told.
  InFlightMark in_flight{};  ///< Ends after everybody was told: flush returns then.

  /// Interceptors, then the callback, then the future.
  void complete(const Result<RecordMetadata>& result);
};

}  // namespace seriatim::delivery
