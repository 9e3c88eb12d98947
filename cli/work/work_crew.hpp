// The jobs of `work`, each on a thread of its own, and the thread that looks after them.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/result.hpp>

#include "context.hpp"
#include "work/work_board.hpp"
#include "work/work_job.hpp"

namespace seriatim::cli {

/// Threads: one.
class WorkCrew {
 public:
  /// Lifetime: all of it outlives the crew.
  WorkCrew(const Context& context, const Engine& engine, const WorkPlan& plan)
      : context_(context), engine_(engine), plan_(plan) {}

  /// Makes the jobs, with a member of the group each, before any of them begins: a group that cannot be
  /// joined costs no delivery.
  /// Errors: as Engine::share_consumer.
  Result<> hire(std::size_t jobs);
  /// Works until somebody interrupts it, a job fails, or, if that is wished, the queue is empty. Every record
  /// that a command was run for is answered for then.
  ///
  /// The first signal lets running commands end, the second ends them with SIGTERM, a third with SIGKILL.
  /// Errors: of the jobs, the first.
  Result<> work(bool exit_when_empty);
  WorkCounts counts() const { return board_.counts(); }

 private:
  Result<> look_after(bool exit_when_empty);
  void obey_interrupts();
  Result<bool> is_empty() const;
  void stop();

  const Context& context_;
  const Engine& engine_;
  const WorkPlan& plan_;
  WorkBoard board_{};
  int interrupts_seen_ = 0;
  std::vector<std::unique_ptr<WorkJob>> jobs_{};
};

}  // namespace seriatim::cli
