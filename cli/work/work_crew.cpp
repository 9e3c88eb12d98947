#include "work/work_crew.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <optional>
#include <thread>
#include <utility>

#include <seriatim/exception.hpp>
#include <seriatim/share_group.hpp>

#include "interrupt.hpp"

namespace seriatim::cli {
namespace {

// How soon the end of the work is noticed. Arbitrary.
constexpr std::chrono::milliseconds crew_look_interval{20};

/// Jobs on threads of their own, which are waited for, whatever happens.
class JobThreads {
 public:
  JobThreads() = default;
  ~JobThreads() {
    for (std::thread& thread : threads_) thread.join();
  }
  JobThreads(const JobThreads&) = delete;
  JobThreads& operator=(const JobThreads&) = delete;

  void start(WorkJob& job) {
    threads_.reserve(threads_.size() + 1);
    threads_.emplace_back([this, &job] {
      job.run();
      ended_.fetch_add(1);
    });
  }
  bool have_ended() const noexcept { return ended_.load() == threads_.size(); }

 private:
  std::atomic<std::size_t> ended_{0};
  std::vector<std::thread> threads_{};
};

}  // namespace

Result<> WorkCrew::hire(std::size_t jobs) {
  for (std::size_t i = 0; i < jobs; ++i) {
    Result<ShareConsumer> consumer =
        engine_.share_consumer({.group_id = plan_.group,
                                .acknowledgement_mode = ShareAcknowledgementMode::explicit_,
                                .acquire_mode = ShareAcquireMode::record_limit,
                                .max_poll_records = 1});
    if (!consumer.ok()) return consumer.error();
    Result<> subscribed = consumer->subscribe({plan_.topic});
    if (!subscribed.ok()) return subscribed;
    jobs_.push_back(std::make_unique<WorkJob>(context_, plan_, board_, std::move(*consumer)));
  }
  return {};
}

Result<> WorkCrew::work(bool exit_when_empty) {
  {
    JobThreads threads;
    try {
      for (const auto& job : jobs_) threads.start(*job);
      const Result<> looked_after = look_after(exit_when_empty);
      if (!looked_after.ok()) board_.fail(looked_after.error());
    } catch (...) {
      board_.fail(current_error());
    }
    stop();
    // Running commands have all the time that they need, unless somebody is impatient.
    while (!threads.have_ended()) {
      wait_for_interrupt(crew_look_interval);
      obey_interrupts();
    }
  }
  const std::optional<Error> failure = board_.failure();
  return failure ? Result<>(*failure) : Result<>();
}

Result<> WorkCrew::look_after(bool exit_when_empty) {
  while (!board_.is_stopping()) {
    wait_for_interrupt(crew_look_interval);
    obey_interrupts();
    if (!exit_when_empty || !board_.seems_empty()) continue;
    const Result<bool> empty = is_empty();
    if (!empty.ok()) return empty.error();
    if (*empty) return {};
  }
  return {};
}

void WorkCrew::obey_interrupts() {
  const int count = interrupt_count();
  if (count == interrupts_seen_) return;
  interrupts_seen_ = count;
  stop();
  if (count == 1) {
    context_.note("stopping when the commands that run have ended; a second signal ends them");
  } else if (count == 2) {
    board_.send_signal(SIGTERM);
    context_.note("ending the commands that run; a third signal kills them");
  } else {
    board_.send_signal(SIGKILL);
  }
}

void WorkCrew::stop() {
  board_.stop();
  for (const auto& job : jobs_) job->wake();
}

// Nobody else writes to the directory meanwhile. A partition that the group has taken nothing from has
// nothing for it: a poll has just looked at all of them.
Result<bool> WorkCrew::is_empty() const {
  const Result<ShareGroups> groups = engine_.share_groups();
  if (!groups.ok()) return groups.error();
  const Result<ShareGroupDescription> group = groups->describe(plan_.group);
  if (!group.ok() && group.error().code() == Errc::group_id_not_found) return true;
  if (!group.ok()) return group.error();
  for (const ShareGroupOffset& one : group->offsets) {
    if (one.topic_partition.topic == plan_.topic && one.lag > 0) return false;
  }
  return true;
}

}  // namespace seriatim::cli
