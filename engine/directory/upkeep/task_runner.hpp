// Tasks of applications and recipes, on two threads of their own: what they wait for holds up nothing of the
// engine's own work.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/task.hpp>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "directory/upkeep/periodic_job.hpp"

namespace seriatim::directory {

/// Threads: any.
class TaskRunner {
 public:
  using Id = std::uint64_t;

  /// @param report  gets a line for each run that fails.
  TaskRunner(const base::Clock& clock, std::function<void(std::string_view)> report);
  ~TaskRunner();
  TaskRunner(const TaskRunner&) = delete;
  TaskRunner& operator=(const TaskRunner&) = delete;

  /// The first task starts the threads. Its first run is due at once.
  /// Errors: closed: `stop` was called. io_error: the system gives no thread; there is no such task then.
  Result<Id> add(std::string name, TaskRun run);
  /// No run of it begins any more. Waits for one that is under way, unless it is the caller.
  void remove(Id id) noexcept;
  void wake_within(Id id, std::int64_t delay_ns) noexcept;
  /// Ends the threads, after the runs that are under way. Not within a run. Idempotent.
  void stop() noexcept;
  /// Whether the caller is within a run: waiting for its end would be waiting for itself.
  bool is_current() const noexcept { return current_ == this; }
  /// Does the due runs now, in the caller's thread: for tests with a clock of their own.
  void run_due();
  /// As `status` shows them, in the order of their making.
  std::vector<JobReport> reports() const;

 private:
  struct Entry {
    TaskRun run{};
    std::int64_t due_ns = 0;
    std::int64_t not_before_ns = INT64_MIN;  ///< After a failure.
    std::thread::id runner{};                ///< Of a run that is under way.
    JobReport report{};
  };
  using EntryPtr = std::shared_ptr<Entry>;

  Result<> start_threads() SERIATIM_REQUIRES(threads_mutex_);
  void work();
  /// The entry that is due first, of those that do not run. Null: there is none.
  EntryPtr earliest() const SERIATIM_REQUIRES(mutex_);
  static std::int64_t due_of(const Entry& entry) noexcept;
  /// Sleeps until then, or until something has changed.
  void wait_for(std::int64_t due_ns) SERIATIM_REQUIRES(mutex_);
  /// Releases the mutex while the task runs.
  void run(EntryPtr entry) SERIATIM_REQUIRES(mutex_);
  void note_end(Entry& entry, const Result<std::chrono::nanoseconds>& outcome) SERIATIM_REQUIRES(mutex_);

  static inline thread_local const TaskRunner* current_ = nullptr;

  const base::Clock& clock_;
  const std::function<void(std::string_view)> report_;
  mutable base::Mutex mutex_;
  base::ConditionVariable changed_;  ///< The next due time, or that all ends.
  base::ConditionVariable ended_;    ///< A run.
  std::map<Id, EntryPtr> entries_ SERIATIM_GUARDED_BY(mutex_);
  Id next_id_ SERIATIM_GUARDED_BY(mutex_) = 1;
  bool is_stopping_ SERIATIM_GUARDED_BY(mutex_) = false;
  bool is_somebody_timing_ SERIATIM_GUARDED_BY(mutex_) = false;
  base::Mutex threads_mutex_;  ///< Before mutex_.
  std::vector<std::thread> threads_ SERIATIM_GUARDED_BY(threads_mutex_);
};

}  // namespace seriatim::directory
