#include "directory/background.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "directory/engine_impl.hpp"

namespace seriatim::directory {
namespace {

// How often the timers look: the resolution of flush.ms and of the intervals. Arbitrary; ten looks a second
// cost nothing.
constexpr std::chrono::milliseconds look_every{100};
// So that retention, which frees space, does not wait for a compaction, which may take hours.
constexpr std::size_t worker_threads = 2;

bool is_named(const std::vector<std::string>& groups, std::string_view group) {
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

std::function<void(std::string_view)> reporter(const detail::EngineImpl& engine) {
  return [&engine](std::string_view line) { engine.report(LogLevel::error, line); };
}

OffsetExpiryEnvironment offset_expiry_of(detail::EngineImpl& engine) {
  return {.offsets = engine.committed_offsets,
          .groups = engine.groups,
          .clock = engine.clock,
          .retention_ms = engine.options.offsets_retention.count(),
          .is_named = [&engine](const std::string& topic, std::string_view group) {
            const auto topics = engine.topics.load();
            const auto found = topics->find(topic);
            if (found == topics->end()) return false;
            const TopicConfig& config = found->second->config;
            return is_named(config.retention_consumed_groups, group) ||
                   is_named(config.retention_unread_groups, group);
          }};
}

}  // namespace

Background::Background(detail::EngineImpl& engine)
    : engine_(engine),
      pace_(engine.clock, engine.options.maintenance_bytes_per_second),
      offset_expiry_(offset_expiry_of(engine)),
      table_(engine.clock, jobs(), reporter(engine)),
      tasks_(engine.clock, reporter(engine)) {}

Result<> Background::start() {
  try {
    start_threads();
  } catch (const std::system_error& error) {
    return Error(Errc::io_error, "starting the threads of " + engine_.directory.string() + ": " +
                                     error.what() +
                                     "; the system allows no more threads, see ulimit -u and the limit of "
                                     "tasks of the service");
  }
  return {};
}

Background::~Background() { stop(); }

void Background::start_threads() {
  threads_.reserve(3 + worker_threads);
  threads_.emplace_back([this] { run_timers(); });
  threads_.emplace_back([this] { run_lane(prompt_jobs_); });
  threads_.emplace_back([this] { run_upkeep(); });
  for (std::size_t i = 0; i < worker_threads; ++i) threads_.emplace_back([this] { run_lane(worker_jobs_); });
}

void Background::stop() {
  // First: a commit of theirs may wait for what the other threads do.
  tasks_.stop();
  stopping_.store(true, std::memory_order_release);
  pace_.stop();
  {
    const base::MutexLock lock(timers_mutex_);  // Not between the look of the timers and their sleep.
  }
  timers_wake_.notify_all();
  for (JobQueue* queue : {&prompt_jobs_, &upkeep_jobs_, &worker_jobs_}) queue->stop();
  engine_.prefault_queue->stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

JobQueue& Background::queue_of(JobLane lane) noexcept {
  if (lane == JobLane::prompt) return prompt_jobs_;
  return lane == JobLane::upkeep ? upkeep_jobs_ : worker_jobs_;
}

void Background::run_timers() {
  while (!is_stopping()) {
    const auto next_look = std::chrono::steady_clock::now() + look_every;
    try {
      look();
    } catch (const std::exception&) {
      // No memory for a look: the next one finds the same due.
      engine_.report(LogLevel::error, "looking for due work: out of memory");
    }
    const base::MutexLock lock(timers_mutex_);
    while (!is_stopping() && timers_wake_.wait_until(timers_mutex_, next_look)) {
    }
  }
}

void Background::look() {
  bool is_upkeep_due = false;
  for (const std::size_t job : table_.take_due(engine_.clock.monotonic_ns())) {
    const JobLane lane = table_.lane_of(job);
    if (!queue_of(lane).push(job)) table_.put_back(job);
    is_upkeep_due |= lane == JobLane::upkeep;
  }
  if (is_upkeep_due) engine_.prefault_queue->wake();
}

void Background::run_lane(JobQueue& queue) {
  while (const auto job = queue.take()) table_.run(*job);
}

void Background::run_upkeep() {
  while (!is_stopping()) {
    // However much there is to populate, the rest has its turn.
    if (const auto segment = engine_.prefault_queue->take()) segment->prefault();
    // Asked for by whoever takes one: a busy journal fills several between two looks, and what is not ready
    // is made in a commit.
    if (engine_.prefault_queue->take_journal_request() && table_.take(journal_files_job_))
      table_.run(journal_files_job_);
    for (auto job = upkeep_jobs_.take_ready(); job && !is_stopping(); job = upkeep_jobs_.take_ready())
      table_.run(*job);
  }
}

void Background::run_due(std::int64_t now_ns) {
  for (const std::size_t job : table_.take_due(now_ns)) table_.run(job);
}

std::vector<JobReport> Background::reports() const {
  std::vector<JobReport> all = table_.reports();
  std::vector<JobReport> tasks = tasks_.reports();
  std::move(tasks.begin(), tasks.end(), std::back_inserter(all));
  return all;
}

}  // namespace seriatim::directory
