#include "directory/upkeep/periodic_job.hpp"

#include <new>
#include <utility>

#include "base/saturate.hpp"

namespace seriatim::directory {
namespace {

// A failure (a full disk, mostly) is reported once a second, not at every look.
constexpr std::int64_t retry_after_ns = 1'000'000'000;
constexpr std::int64_t ns_per_millisecond = 1'000'000;

}  // namespace

JobTable::JobTable(const base::Clock& clock, std::vector<PeriodicJob> jobs,
                   std::function<void(std::string_view)> report)
    : clock_(clock), report_(std::move(report)) {
  const std::int64_t now_ns = clock.monotonic_ns();
  jobs_.reserve(jobs.size());
  for (PeriodicJob& job : jobs) {
    Entry entry;
    entry.report.name = job.name;
    entry.due_ns = PeriodicJob::when_wanted;
    if (job.period_ns != PeriodicJob::when_wanted) {
      entry.due_ns = base::saturating_add(now_ns, job.first_after_ns);
      entry.report.period_ms = job.period_ns / ns_per_millisecond;
    }
    entry.job = std::move(job);
    jobs_.push_back(std::move(entry));
  }
}

bool JobTable::is_idle(const Entry& entry, std::int64_t now_ns) const noexcept {
  return !entry.is_taken && now_ns >= entry.not_before_ns;
}

bool JobTable::take(std::size_t job) {
  const base::MutexLock lock(mutex_);
  if (!is_idle(jobs_[job], clock_.monotonic_ns())) return false;
  jobs_[job].is_taken = true;
  return true;
}

std::vector<std::size_t> JobTable::take_due(std::int64_t now_ns) {
  std::vector<std::size_t> due;
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    Entry& entry = jobs_[i];
    {
      const base::MutexLock lock(mutex_);
      if (!is_idle(entry, now_ns)) continue;
    }
    // Without the mutex: they take those of others.
    if (entry.job.is_held_back && entry.job.is_held_back()) continue;
    const bool is_wanted = entry.job.is_wanted && entry.job.is_wanted(now_ns);
    const base::MutexLock lock(mutex_);
    const bool is_due = entry.due_ns != PeriodicJob::when_wanted && entry.due_ns <= now_ns;
    if (entry.is_taken || (!is_wanted && !is_due)) continue;
    entry.is_taken = true;
    due.push_back(i);
  }
  return due;
}

void JobTable::put_back(std::size_t job) {
  const base::MutexLock lock(mutex_);
  jobs_[job].is_taken = false;
}

void JobTable::run(std::size_t job) {
  Entry& entry = jobs_[job];
  {
    const base::MutexLock lock(mutex_);
    entry.report.begin_ms = clock_.wall_ms();
    entry.report.is_running = true;
  }
  JobRun run(clock_.monotonic_ns(), report_);
  try {
    entry.job.run(run);
  } catch (const std::bad_alloc&) {
    run.fail("out of memory");
  }
  const base::MutexLock lock(mutex_);
  entry.report.is_running = false;
  entry.report.end_ms = clock_.wall_ms();
  ++entry.report.runs;
  entry.report.failure = run.failure();
  if (!run.failure().empty()) ++entry.report.failures;
  // From its end on: a run that took longer than the period is not followed by the next at once.
  const std::int64_t ended_ns = clock_.monotonic_ns();
  entry.due_ns = base::saturating_add(ended_ns, entry.job.period_ns);
  entry.not_before_ns = run.failure().empty() ? INT64_MIN : base::saturating_add(ended_ns, retry_after_ns);
  entry.is_taken = false;
}

std::vector<JobReport> JobTable::reports() const {
  const base::MutexLock lock(mutex_);
  std::vector<JobReport> all;
  all.reserve(jobs_.size());
  for (const Entry& entry : jobs_) all.push_back(entry.report);
  return all;
}

}  // namespace seriatim::directory
