// Work that comes again and again: one entry each, with its name, its period, and how its last run ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"

namespace seriatim::directory {

/// Which thread runs a job. Jobs of one lane wait for each other, those of two lanes never do.
enum class JobLane : std::uint8_t {
  prompt,   ///< Work that somebody waits for by the clock: ends of transactions, `flush.ms`.
  upkeep,   ///< Work that writers would have to do otherwise: checkpoints, files and pages ahead of them.
  workers,  ///< Passes over whole partitions, however long they take.
};

/// One run of a job, for it to tell how it goes.
class JobRun {
 public:
  /// @param report  gets each failure as it happens; a run may have several.
  JobRun(std::int64_t now_ns, std::function<void(std::string_view)> report)
      : now_ns_(now_ns), report_(std::move(report)) {}

  std::int64_t now_ns() const noexcept { return now_ns_; }
  /// The run goes on, and has failed.
  /// @param what  what was being done, where, and what went wrong.
  void fail(const std::string& what) {
    if (failure_.empty()) failure_ = what;
    report_(what);
  }
  /// The same for what is not worth a line: whoever needs it is told.
  void fail_silently(const std::string& what) {
    if (failure_.empty()) failure_ = what;
  }
  /// The first failure; empty: none.
  const std::string& failure() const noexcept { return failure_; }

 private:
  std::int64_t now_ns_;
  std::function<void(std::string_view)> report_;
  std::string failure_;
};

struct PeriodicJob {
  /// `period_ns` of a job that comes only when it is wanted.
  static constexpr std::int64_t when_wanted = INT64_MAX;

  std::string_view name{};
  JobLane lane = JobLane::upkeep;
  std::int64_t period_ns = when_wanted;
  std::int64_t first_after_ns = 0;  ///< When it comes for the first time.
  std::function<void(JobRun&)> run{};
  /// Whether it is to come before its time. Asked by the timers at each of their looks: it must not wait for
  /// a disk, nor for a lock that is held over such a wait. Empty: never.
  std::function<bool(std::int64_t now_ns)> is_wanted{};
  /// Whether it is to stay due, and not to run yet. Asked as `is_wanted` is. Empty: never.
  std::function<bool()> is_held_back{};
};

/// The state of a job, as `status` shows it.
struct JobReport {
  std::string name{};
  std::int64_t period_ms = 0;  ///< 0: it comes when it is wanted.
  std::uint64_t runs = 0;      ///< That have ended.
  std::uint64_t failures = 0;  ///< Of those.
  std::int64_t begin_ms = 0;   ///< Wall clock of the last begin; 0: it has not run yet.
  std::int64_t end_ms = 0;     ///< Of the last end; 0: none has ended yet.
  bool is_running = false;
  std::string failure{};  ///< Of the run that ended last; empty: it went well.
};

/// Threads: any, except that one at a time calls `take_due`.
class JobTable {
 public:
  /// @param report  gets the failures of all runs.
  JobTable(const base::Clock& clock, std::vector<PeriodicJob> jobs,
           std::function<void(std::string_view)> report);

  /// The jobs that are due, in the order of the table. Each is taken once until `run` or `put_back`.
  std::vector<std::size_t> take_due(std::int64_t now_ns);
  /// Takes one of them, due or not.
  /// @return false: it is under way, or has failed less than a second ago.
  bool take(std::size_t job);
  /// Runs a job that was taken, in the caller's thread. After a failure it does not come again for a second.
  void run(std::size_t job);
  /// Of a job that was taken and will not be run: it stays due.
  void put_back(std::size_t job);
  JobLane lane_of(std::size_t job) const noexcept { return jobs_[job].job.lane; }
  std::vector<JobReport> reports() const;

 private:
  struct Entry {
    PeriodicJob job{};
    std::int64_t due_ns = 0;
    std::int64_t not_before_ns = INT64_MIN;  ///< After a failure.
    bool is_taken = false;
    JobReport report{};
  };
  bool is_idle(const Entry& entry, std::int64_t now_ns) const noexcept SERIATIM_REQUIRES(mutex_);

  const base::Clock& clock_;
  const std::function<void(std::string_view)> report_;
  mutable base::Mutex mutex_;
  /// Of an entry, `job` never changes; the rest is guarded by mutex_.
  std::vector<Entry> jobs_;
};

}  // namespace seriatim::directory
