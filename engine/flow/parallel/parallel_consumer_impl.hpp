// Behind `ParallelConsumer`: its threads, and how they ended.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <seriatim/flow/parallel_consumer.hpp>

#include "flow/parallel/parallel_poller.hpp"
#include "flow/parallel/parallel_pool.hpp"
#include "flow/parallel/parallel_worker.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Threads: any.
class ParallelConsumerImpl {
 public:
  /// @param options  in their ranges.
  ParallelConsumerImpl(const Engine& engine, ParallelConsumerOptions options, ParallelHandler handler)
      : engine_(engine), options_(std::move(options)), handler_(std::move(handler)) {}
  ~ParallelConsumerImpl();
  ParallelConsumerImpl(const ParallelConsumerImpl&) = delete;
  ParallelConsumerImpl& operator=(const ParallelConsumerImpl&) = delete;

  // As ParallelConsumer.
  Result<> start();
  Result<> run();
  void stop(ParallelPhase phase) noexcept;
  Result<> wait();
  ParallelStatus status() { return pool_.status(); }

 private:
  using Lock = std::unique_lock<std::mutex>;

  /// Joins the group and begins the threads, all or none.
  Result<> begin(bool polls_itself);
  void work(std::size_t worker) noexcept;
  /// The body of the thread that polls.
  void poll() noexcept;
  void fail(const Error& failure) noexcept;
  bool is_own_thread() const;
  void join();

  const Engine engine_;
  const ParallelConsumerOptions options_;
  const ParallelHandler handler_;
  ParallelPool pool_{options_};
  const ParallelParts parts_{options_, handler_, pool_, [this](const Error& failure) { fail(failure); }};

  std::mutex join_mutex_;  ///< Before `mutex_`.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<ParallelPoller> poller_{};
  std::vector<std::thread> threads_{};          ///< Joined under `join_mutex_`.
  std::vector<std::thread::id> own_threads_{};  ///< And a caller's that polls. Not empty: it has begun.
  bool has_ended_ = false;                      ///< The poller has left the group.
  bool has_left_handlers_ = false;              ///< A thread may never end.
  Result<> outcome_{};
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
