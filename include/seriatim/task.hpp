/// @file
/// `Task`: work that comes again and again on the engine's own threads.
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include <seriatim/export.hpp>
#include <seriatim/result.hpp>

namespace seriatim {
inline namespace v0 {

namespace detail {
struct EngineImpl;
}

/// One run of a task. It may use the engine, but not close it, and must not own a handle that keeps the
/// engine alive: the engine would never close. Runs of one task never overlap. Two tasks run at a time: a run
/// that takes long, or never returns, holds up the others, and `Engine::close`, which waits for it.
/// @return how long it is from the end of this run to the begin of the next, 0 or more; the largest value:
/// until Task::wake_within asks for one.
/// Errors: reported to the log sink, and shown by `background_jobs`; the next run comes after a second. An
/// exception counts as one.
/// Threads: one of the engine's two threads for tasks.
using TaskRun = std::function<Result<std::chrono::nanoseconds>()>;

/// Work of an application, or of a recipe of `seriatim/flow`, among the background work of an engine. Made by
/// `Engine::task`; keeps the engine alive. Ended by its destructor, or by Engine::close.
///
/// Threads: any.
class SERIATIM_API Task {
 public:
  Task(Task&&) noexcept;
  /// Ends the task that was here before, as the destructor does.
  Task& operator=(Task&&) noexcept;
  /// No run begins any more. Waits for one that is under way, unless it is called within it: hold no lock
  /// that the run takes.
  ~Task();

  /// Lets a run begin no later than this from now, 0 or more. During a run it is the next one that comes so
  /// early. After a failure none comes before its second has passed. Nothing on a handle that was moved from,
  /// and after Engine::close.
  /// Cost: a mutex; a wake-up of a thread where the run becomes the next of all.
  void wake_within(std::chrono::nanoseconds delay) noexcept;

 private:
  friend class Engine;
  Task(std::shared_ptr<detail::EngineImpl> engine, std::uint64_t id) noexcept;
  void end() noexcept;
  std::shared_ptr<detail::EngineImpl> engine_;
  std::uint64_t id_ = 0;
};

}  // namespace v0
}  // namespace seriatim
