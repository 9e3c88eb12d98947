#include "directory/upkeep/task_runner.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/boundary.hpp"
#include "base/saturate.hpp"

namespace seriatim::directory {
namespace {

// One that waits for a disk, or for an application's handler, leaves the other. Arbitrary.
constexpr std::size_t task_threads = 2;
constexpr std::int64_t never_ns = INT64_MAX;
// As for the engine's own jobs: a full disk is told once a second.
constexpr std::int64_t failed_task_pause_ns = 1'000'000'000;
// The longest sleep of the thread that watches the time: a clock that a test moves wakes nobody.
constexpr std::int64_t longest_sleep_ns = base::ns_of_ms(1'000);

}  // namespace

TaskRunner::TaskRunner(const base::Clock& clock, std::function<void(std::string_view)> report)
    : clock_(clock), report_(std::move(report)) {}

TaskRunner::~TaskRunner() { stop(); }

Result<TaskRunner::Id> TaskRunner::add(std::string name, TaskRun run) {
  const base::MutexLock starting(threads_mutex_);
  if (auto started = start_threads(); !started) return started.error();
  auto entry = std::make_shared<Entry>();
  entry->report.name = std::move(name);
  entry->run = std::move(run);
  const base::MutexLock lock(mutex_);
  if (is_stopping_) return Error(Errc::closed, "the engine was closed; open it again");
  entry->due_ns = clock_.monotonic_ns();
  const Id id = next_id_++;
  entries_.emplace(id, std::move(entry));
  changed_.notify_all();
  return id;
}

Result<> TaskRunner::start_threads() {
  {
    const base::MutexLock lock(mutex_);
    if (is_stopping_) return {};
  }
  threads_.reserve(task_threads);
  try {
    while (threads_.size() < task_threads) threads_.emplace_back([this] { work(); });
  } catch (const std::system_error& error) {
    if (!threads_.empty()) return {};  // One thread serves them all, too.
    return Error(Errc::io_error, std::string("starting a thread for tasks: ") + error.what() +
                                     "; the system allows no more threads, see ulimit -u and the limit of "
                                     "tasks of the service");
  }
  return {};
}

void TaskRunner::remove(Id id) noexcept {
  EntryPtr entry;  // Destroyed without the mutex: what the task owns may be the next task.
  const base::MutexLock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  entry = found->second;
  entries_.erase(found);
  if (entry->runner == std::this_thread::get_id()) return;
  while (entry->runner != std::thread::id()) ended_.wait(mutex_);
}

void TaskRunner::wake_within(Id id, std::int64_t delay_ns) noexcept {
  const base::MutexLock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Entry& entry = *found->second;
  const std::int64_t due_ns =
      base::saturating_add(clock_.monotonic_ns(), std::max<std::int64_t>(delay_ns, 0));
  if (due_ns >= entry.due_ns) return;
  entry.due_ns = due_ns;
  if (entry.runner == std::thread::id()) changed_.notify_all();
}

void TaskRunner::stop() noexcept {
  std::vector<std::thread> ending;
  {
    const base::MutexLock starting(threads_mutex_);
    const base::MutexLock lock(mutex_);
    is_stopping_ = true;
    ending.swap(threads_);
  }
  changed_.notify_all();
  // Without the mutex: a run that is under way may be adding a task.
  for (std::thread& thread : ending) thread.join();
}

void TaskRunner::run_due() {
  const TaskRunner* const before = std::exchange(current_, this);
  {
    const base::MutexLock lock(mutex_);
    const std::int64_t now_ns = clock_.monotonic_ns();
    std::vector<EntryPtr> due;
    for (const auto& [id, entry] : entries_) {
      if (entry->runner == std::thread::id() && due_of(*entry) <= now_ns) due.push_back(entry);
    }
    for (EntryPtr& entry : due) run(std::move(entry));
  }
  current_ = before;
}

std::vector<JobReport> TaskRunner::reports() const {
  const base::MutexLock lock(mutex_);
  std::vector<JobReport> all;
  all.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) all.push_back(entry->report);
  return all;
}

void TaskRunner::work() {
  current_ = this;
  const base::MutexLock lock(mutex_);
  while (!is_stopping_) {
    EntryPtr next = earliest();
    if (next && due_of(*next) <= clock_.monotonic_ns()) {
      run(std::move(next));
    } else {
      wait_for(next ? due_of(*next) : never_ns);
    }
  }
}

std::int64_t TaskRunner::due_of(const Entry& entry) noexcept {
  return std::max(entry.due_ns, entry.not_before_ns);
}

TaskRunner::EntryPtr TaskRunner::earliest() const {
  EntryPtr first;
  for (const auto& [id, entry] : entries_) {
    if (entry->runner != std::thread::id()) continue;
    if (!first || due_of(*entry) < due_of(*first)) first = entry;
  }
  return first;
}

// One thread watches the time; the other sleeps until it is needed, so that nothing wakes two for one run.
void TaskRunner::wait_for(std::int64_t due_ns) {
  if (is_somebody_timing_ || due_ns == never_ns) {
    changed_.wait(mutex_);
    return;
  }
  const std::int64_t left_ns = base::saturating_sub(due_ns, clock_.monotonic_ns());
  is_somebody_timing_ = true;
  static_cast<void>(changed_.wait_until(
      mutex_, std::chrono::steady_clock::now() +
                  std::chrono::nanoseconds(std::clamp<std::int64_t>(left_ns, 0, longest_sleep_ns))));
  is_somebody_timing_ = false;
}

void TaskRunner::run(EntryPtr entry) {
  entry->runner = std::this_thread::get_id();
  entry->due_ns = never_ns;
  entry->report.is_running = true;
  entry->report.begin_ms = clock_.wall_ms();
  // The thread that watched the time may run now: the other watches it.
  changed_.notify_all();
  mutex_.unlock();
  auto outcome = base::answered([&] { return entry->run(); });
  if (!outcome) {
    const auto reported = base::answered([&]() -> Result<> {
      report_("task " + entry->report.name + ": " + outcome.error().message());
      return {};
    });
    static_cast<void>(reported.ok());  // No memory for the line: `status` has the failure.
  }
  mutex_.lock();
  note_end(*entry, outcome);
  ended_.notify_all();
  // The other may watch the time of something later.
  changed_.notify_all();
  if (entry.use_count() > 1) return;
  // It was removed within its run. Without the mutex: what it owns may be another task.
  mutex_.unlock();
  entry.reset();
  mutex_.lock();
}

void TaskRunner::note_end(Entry& entry, const Result<std::chrono::nanoseconds>& outcome) {
  JobReport& report = entry.report;
  entry.runner = {};
  report.is_running = false;
  report.end_ms = clock_.wall_ms();
  ++report.runs;
  report.failure.clear();
  const std::int64_t now_ns = clock_.monotonic_ns();
  std::int64_t pause_ns = failed_task_pause_ns;
  entry.not_before_ns = INT64_MIN;
  if (outcome) {
    pause_ns = std::max<std::int64_t>(outcome->count(), 0);
  } else {
    ++report.failures;
    entry.not_before_ns = base::saturating_add(now_ns, failed_task_pause_ns);
    const auto noted = base::answered([&]() -> Result<> {
      report.failure = outcome.error().message();
      return {};
    });
    if (!noted) report.failure = "out of memory";  // Short enough to need none.
  }
  entry.due_ns = std::min(entry.due_ns, base::saturating_add(now_ns, pause_ns));
}

}  // namespace seriatim::directory
