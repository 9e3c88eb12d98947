// `Task`: the public handle of work on the engine's threads for tasks.
#include <seriatim/task.hpp>

#include <string>
#include <utility>

#include <seriatim/engine.hpp>
#include <seriatim/exception.hpp>

#include "base/moved_from.hpp"
#include "directory/background.hpp"
#include "directory/engine_impl.hpp"
#include "os/process.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

constexpr std::size_t task_name_bytes_max = 100;

Result<> check_task(std::string_view name, const TaskRun& run) {
  if (name.empty() || name.size() > task_name_bytes_max || name.find('\0') != std::string_view::npos) {
    return Error(Errc::invalid_argument, "the name of the task has " + std::to_string(name.size()) +
                                             " bytes; give it 1 to " + std::to_string(task_name_bytes_max) +
                                             ", none of them zero: `status` shows it");
  }
  if (!run) return Error(Errc::invalid_argument, "the task has no function to run; give it one");
  return {};
}

}  // namespace

Result<Task> Engine::task(std::string name, TaskRun run) const try {
  if (!impl_) return base::moved_from("Engine");
  if (auto writable = impl_->check_writable(); !writable) return writable.error();
  if (auto checked = check_task(name, run); !checked) return checked.error();
  auto id = impl_->background->tasks().add(std::move(name), std::move(run));
  if (!id) return id.error();
  return Task(impl_, *id);
} catch (...) {
  return current_error();
}

Task::Task(std::shared_ptr<detail::EngineImpl> engine, std::uint64_t id) noexcept
    : engine_(std::move(engine)), id_(id) {}
Task::Task(Task&&) noexcept = default;
Task& Task::operator=(Task&& other) noexcept {
  if (this == &other) return *this;
  end();
  engine_ = std::move(other.engine_);
  id_ = other.id_;
  return *this;
}
Task::~Task() { end(); }

// A child's copy after fork(): its threads are the parent's, and so are its locks.
void Task::end() noexcept {
  if (!engine_ || os::fork_generation() != engine_->opened_in) return;
  engine_->background->tasks().remove(id_);
  engine_.reset();
}

void Task::wake_within(std::chrono::nanoseconds delay) noexcept {
  if (!engine_ || os::fork_generation() != engine_->opened_in) return;
  engine_->background->tasks().wake_within(id_, delay.count());
}

}  // namespace v0
}  // namespace seriatim
