#include "flow/processor/processor_impl.hpp"

#include <algorithm>
#include <utility>

#include <seriatim/exception.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

/// The Result of `body`, also where it throws.
template <class Body>
auto without_exceptions(const Body& body) noexcept -> decltype(body()) {
  try {
    return body();
  } catch (...) {
    return current_error();
  }
}

}  // namespace

ProcessorImpl::~ProcessorImpl() {
  stop();
  // Nobody is left to be told of a failure: whoever wants to know calls wait().
  static_cast<void>(wait().ok());
}

Result<> ProcessorImpl::open_workers(std::size_t count) {
  if (control_.is_stopping())
    return Error(Errc::closed, "this processor has ended; open another one to go on");
  const ProcessorParts parts{engine_, options_, handler_, control_};
  std::vector<std::unique_ptr<ProcessorWorker>> opened;
  while (opened.size() < count) {
    auto worker = ProcessorWorker::open(parts, opened.size());
    if (!worker) return worker.error();
    opened.push_back(*std::move(worker));
  }
  workers_ = std::move(opened);
  return {};
}

Result<> ProcessorImpl::start() {
  const std::lock_guard joining(join_mutex_);
  Lock lock(mutex_);
  if (!workers_.empty())
    return Error(Errc::invalid_state, "this processor has begun already; open another one");
  if (auto opened = open_workers(options_.workers); !opened) return opened;
  // Each thread waits for the mutex before it works.
  auto started = without_exceptions([&]() -> Result<> {
    std::vector<std::thread::id> own;
    own.reserve(workers_.size());
    threads_.reserve(workers_.size());
    for (const auto& worker : workers_) {
      threads_.emplace_back([this, of = worker.get()] { work(*of); });
      own.push_back(threads_.back().get_id());
    }
    own_threads_ = std::move(own);
    return {};
  });
  if (started) return started;
  auto begun = std::exchange(threads_, {});
  lock.unlock();
  for (std::thread& thread : begun) thread.join();
  lock.lock();
  workers_.clear();
  changed_.notify_all();
  return started;
}

void ProcessorImpl::work(ProcessorWorker& worker) noexcept {
  {
    const Lock lock(mutex_);
    if (own_threads_.empty()) return;  // Not all could be begun.
  }
  const auto outcome = without_exceptions([&] { return worker.run(); });
  worker.close();
  note(outcome);
}

Result<> ProcessorImpl::run() {
  auto worker = enter();
  if (!worker) return worker.error();
  auto outcome = without_exceptions([&] { return (*worker)->run(); });
  leave(outcome);
  return outcome;
}

Result<std::size_t> ProcessorImpl::run_once(std::chrono::milliseconds timeout) {
  auto worker = enter();
  if (!worker) return worker.error();
  auto done = without_exceptions([&] { return (*worker)->run_once(timeout); });
  leave(done ? Result<>() : Result<>(done.error()));
  return done;
}

Result<ProcessorWorker*> ProcessorImpl::enter() {
  const Lock lock(mutex_);
  if (!own_threads_.empty() || caller_ != std::thread::id()) {
    return Error(Errc::invalid_state,
                 "other threads run this processor; open another one, which shares the partitions with it");
  }
  if (control_.is_stopping() || workers_.empty()) {
    if (auto opened = open_workers(1); !opened) return opened.error();
  }
  caller_ = std::this_thread::get_id();
  return workers_.front().get();
}

void ProcessorImpl::leave(const Result<>& outcome) noexcept {
  note(outcome);
  // Without the mutex: a listener may call `stop`.
  if (control_.is_stopping()) workers_.front()->close();
  const Lock lock(mutex_);
  caller_ = {};
  changed_.notify_all();
}

void ProcessorImpl::note(const Result<>& outcome) noexcept {
  if (outcome) return;
  const Lock lock(mutex_);
  if (outcome_) outcome_ = outcome;
  stop_all();
}

void ProcessorImpl::stop() noexcept {
  const Lock lock(mutex_);
  stop_all();
}

void ProcessorImpl::stop_all() noexcept {
  control_.stop();
  for (const auto& worker : workers_) worker->wake();
  changed_.notify_all();
}

Result<> ProcessorImpl::wait() {
  const auto self = std::this_thread::get_id();
  Lock lock(mutex_);
  if (caller_ == self || std::find(own_threads_.begin(), own_threads_.end(), self) != own_threads_.end()) {
    return Error(Errc::invalid_state,
                 "a handler waits for its own end; call stop there, and wait in another thread");
  }
  changed_.wait(
      lock, [this] { return workers_.empty() || (control_.is_stopping() && caller_ == std::thread::id()); });
  lock.unlock();
  {
    const std::lock_guard joining(join_mutex_);
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
    // One that a caller's thread ran, and was stopped between two calls.
    for (const auto& worker : workers_) worker->close();
  }
  lock.lock();
  return outcome_;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
