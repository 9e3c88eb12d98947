// The threads of background work, each with one duty:
//
//   timers    look ten times a second at what is due, and hand it on. They wait for no disk, nor for a lock
//             that somebody holds while it waits for one (INV-14).
//   prompt    ends transactions whose time is up, syncs what `flush.ms` bounds, publishes the counters.
//   upkeep    pages and journal files ahead of writers, checkpoints, the reserve.
//   workers   retention and compaction, which can be paused and limited.
//   tasks     work of applications and recipes, from the first task on (TaskRunner).
//
// None before open, none after close. The work is a table of periodic jobs (background_jobs.cpp).
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <thread>
#include <vector>

#include <seriatim/result.hpp>

#include "base/mutex.hpp"
#include "directory/upkeep/job_queue.hpp"
#include "directory/upkeep/offset_expiry.hpp"
#include "directory/upkeep/periodic_job.hpp"
#include "directory/upkeep/task_runner.hpp"
#include "directory/upkeep/work_pace.hpp"
#include "partition/partition.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
struct EngineImpl;
}
}  // namespace v0
}  // namespace seriatim

namespace seriatim::directory {

class Background {
 public:
  explicit Background(detail::EngineImpl& engine);
  ~Background();
  /// Starts the threads, once the engine has this object: they look for it there.
  /// Errors: io_error: the system gives no more threads; `stop` ends those there are.
  Result<> start();
  /// Ends the threads; work that runs is finished or, if it may be, broken off. Idempotent.
  void stop();
  /// Does the due work now, in the caller's thread: for tests with a clock of their own, and no threads.
  void run_due(std::int64_t now_ns);

  /// Of retention and compaction: they can be paused, and limited.
  WorkPace& worker_pace() noexcept { return pace_; }
  /// Every job and task: when it ran last, and how that ended.
  std::vector<JobReport> reports() const;
  TaskRunner& tasks() noexcept { return tasks_; }

 private:
  bool is_stopping() const noexcept { return stopping_.load(std::memory_order_acquire); }

  // background.cpp: threads.
  void start_threads();
  void run_timers();
  void run_lane(JobQueue& queue);
  void run_upkeep();
  void look();
  JobQueue& queue_of(JobLane lane) noexcept;

  // background_jobs.cpp: what they do.
  /// Also notes where in the table the journal's files are.
  std::vector<PeriodicJob> jobs();
  std::vector<PeriodicJob> prompt_table();
  std::vector<PeriodicJob> upkeep_table();
  std::vector<PeriodicJob> worker_table();
  bool is_flush_wanted(std::int64_t now_ns);
  void flush_overdue(JobRun& run);
  void publish_counters();
  void make_reserve(JobRun& run);
  void prepare_journal_file(JobRun& run);
  void make_checkpoint(JobRun& run);
  void expire(JobRun& run);
  void expire_offsets(JobRun& run);
  void apply_retention(JobRun& run);
  void compact(JobRun& run);

  detail::EngineImpl& engine_;
  WorkPace pace_;
  OffsetExpiry offset_expiry_;
  std::size_t journal_files_job_ = 0;  ///< Its place in the table.
  JobTable table_;
  TaskRunner tasks_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> is_checkpoint_wanted_{false};
  // Passes that were broken off by a pause, to be begun again after it.
  std::atomic<bool> is_retention_owed_{false};
  std::atomic<bool> is_compaction_owed_{false};
  std::atomic<bool> is_offset_expiry_owed_{false};  ///< The pass that is under way has not ended.
  base::Mutex overdue_mutex_;
  std::vector<partition::PartitionPtr> overdue_ SERIATIM_GUARDED_BY(overdue_mutex_);  ///< By flush.ms.

  base::Mutex timers_mutex_;
  base::ConditionVariable timers_wake_;
  JobQueue prompt_jobs_;
  JobQueue upkeep_jobs_;
  JobQueue worker_jobs_;
  std::vector<std::thread> threads_;
};

}  // namespace seriatim::directory
