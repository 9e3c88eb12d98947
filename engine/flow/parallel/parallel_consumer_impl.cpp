#include "flow/parallel/parallel_consumer_impl.hpp"

#include <algorithm>
#include <utility>

#include <seriatim/exception.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {

ParallelConsumerImpl::~ParallelConsumerImpl() {
  stop(ParallelPhase::dropping);
  // Nobody is left to be told of a failure: whoever wants to know calls wait().
  static_cast<void>(wait().ok());
  join();
}

Result<> ParallelConsumerImpl::start() { return begin(false); }

Result<> ParallelConsumerImpl::run() {
  if (auto begun = begin(true); !begun) return begun;
  poll();
  {
    const Lock lock(mutex_);
    own_threads_.back() = {};  // The caller is none of them any more.
  }
  return wait();
}

Result<> ParallelConsumerImpl::begin(bool polls_itself) try {
  const std::lock_guard joining(join_mutex_);
  {
    const Lock lock(mutex_);
    if (!own_threads_.empty())
      return Error(Errc::invalid_state, "this parallel consumer has begun already; open another one");
    if (pool_.phase() != ParallelPhase::open)
      return Error(Errc::closed, "this parallel consumer has ended; open another one to go on");
  }
  auto poller = ParallelPoller::open(engine_, parts_);
  if (!poller) return poller.error();
  std::vector<std::thread::id> own(options_.workers + 1);
  threads_.reserve(own.size());
  Lock lock(mutex_);
  poller_ = *std::move(poller);
  // Each thread waits for the mutex before it works.
  try {
    for (std::size_t i = 0; i < options_.workers; ++i) threads_.emplace_back([this, i] { work(i); });
    if (!polls_itself) threads_.emplace_back([this] { poll(); });
  } catch (...) {
    const Error failure = current_error();
    auto begun = std::exchange(threads_, {});
    lock.unlock();
    for (std::thread& thread : begun) thread.join();
    pool_.set_waker({});
    poller_.reset();
    return failure;
  }
  for (std::size_t i = 0; i < threads_.size(); ++i) own[i] = threads_[i].get_id();
  if (polls_itself) own.back() = std::this_thread::get_id();
  own_threads_ = std::move(own);
  return {};
} catch (...) {
  return current_error();
}

void ParallelConsumerImpl::work(std::size_t worker) noexcept {
  {
    const Lock lock(mutex_);
    if (own_threads_.empty()) return;  // Not all could be begun.
  }
  ParallelWorker(parts_, worker).run();
}

void ParallelConsumerImpl::poll() noexcept {
  {
    const Lock lock(mutex_);
    if (own_threads_.empty()) return;
  }
  poller_->run();
  const Lock lock(mutex_);
  has_ended_ = true;
  has_left_handlers_ = poller_->has_left_handlers();
  changed_.notify_all();
}

void ParallelConsumerImpl::fail(const Error& failure) noexcept {
  {
    const Lock lock(mutex_);
    if (outcome_) outcome_ = failure;
  }
  pool_.go_on_to(ParallelPhase::dropping);
}

void ParallelConsumerImpl::stop(ParallelPhase phase) noexcept { pool_.go_on_to(phase); }

bool ParallelConsumerImpl::is_own_thread() const {
  return std::find(own_threads_.begin(), own_threads_.end(), std::this_thread::get_id()) !=
         own_threads_.end();
}

Result<> ParallelConsumerImpl::wait() {
  Lock lock(mutex_);
  // The id of a thread that was joined may be another one's.
  if (!has_ended_ && is_own_thread()) {
    return Error(Errc::invalid_state,
                 "a handler waits for its own end; call stop there, and wait in another thread");
  }
  changed_.wait(lock, [this] { return own_threads_.empty() || has_ended_; });
  const bool may_never_end = has_left_handlers_;
  lock.unlock();
  if (!may_never_end) join();
  lock.lock();
  return outcome_;
}

void ParallelConsumerImpl::join() {
  const std::lock_guard joining(join_mutex_);
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
