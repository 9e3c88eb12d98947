// Behind `Processor`: its workers, their threads, and how they ended.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <seriatim/flow/processor.hpp>

#include "flow/processor/processor_control.hpp"
#include "flow/processor/processor_worker.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Threads: any.
class ProcessorImpl {
 public:
  /// @param options  in their ranges.
  ProcessorImpl(const Engine& engine, ProcessorOptions options, ProcessorHandler handler)
      : engine_(engine), options_(std::move(options)), handler_(std::move(handler)) {}
  ~ProcessorImpl();
  ProcessorImpl(const ProcessorImpl&) = delete;
  ProcessorImpl& operator=(const ProcessorImpl&) = delete;

  // As Processor.
  Result<> start();
  Result<> run();
  Result<std::size_t> run_once(std::chrono::milliseconds timeout);
  void stop() noexcept;
  Result<> wait();

 private:
  using Lock = std::unique_lock<std::mutex>;

  /// Opens workers, all of them or none. Under the mutex.
  Result<> open_workers(std::size_t count);
  /// Makes the caller the thread of the one worker, which it opens if need be.
  Result<ProcessorWorker*> enter();
  void leave(const Result<>& outcome) noexcept;
  /// The body of a thread.
  void work(ProcessorWorker& worker) noexcept;
  /// Keeps the first failure, which ends the others.
  void note(const Result<>& outcome) noexcept;
  /// Under the mutex.
  void stop_all() noexcept;

  const Engine engine_;
  const ProcessorOptions options_;
  const ProcessorHandler handler_;
  ProcessorControl control_{};

  std::mutex join_mutex_;  ///< Before `mutex_`.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<ProcessorWorker>> workers_{};
  std::vector<std::thread> threads_{};          ///< Joined under `join_mutex_`.
  std::vector<std::thread::id> own_threads_{};  ///< Of `threads_`; not empty: `start` has begun them.
  std::thread::id caller_{};                    ///< Inside `run` or `run_once`.
  Result<> outcome_{};
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
