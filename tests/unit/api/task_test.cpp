#include <seriatim/task.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <seriatim/inspect.hpp>

#include "unit/api/engine_fixture.hpp"

namespace seriatim {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using test::code_of;
using test::comes_true;
using test::must;
using test::open_engine;
using test::OpenedEngine;
using test::TempDir;

Result<nanoseconds> no_more() { return nanoseconds::max(); }

TEST_CASE("a task of an application runs until its handle goes") {
  const OpenedEngine opened;
  std::atomic<int> runs{0};
  {
    Task task = must(opened.engine.task("ticks", [&]() -> Result<nanoseconds> {
      ++runs;
      return nanoseconds(milliseconds(1));
    }));
    CHECK(comes_true([&] { return runs > 3; }));
    Task moved = std::move(task);
    task.wake_within(nanoseconds(0));  // NOLINT(bugprone-use-after-move): says nothing, does nothing.
    const int before = runs;
    CHECK(comes_true([&] { return runs > before; }));
    moved = must(opened.engine.task("other", no_more));
  }
  const int at_end = runs;
  std::this_thread::sleep_for(milliseconds(5));
  CHECK(runs == at_end);
}

TEST_CASE("status shows a task, and how its last run failed") {
  const OpenedEngine opened;
  const Task task = must(opened.engine.task(
      "sends letters", []() -> Result<nanoseconds> { return Error(Errc::io_error, "no post today"); }));
  CHECK(comes_true([&] {
    const auto jobs = must(background_jobs(opened.path()));
    return std::any_of(jobs.begin(), jobs.end(), [](const BackgroundJob& job) {
      return job.name == "sends letters" && job.failures == 1 && job.failure == "no post today";
    });
  }));
}

TEST_CASE("close waits for the task that runs, and ends all") {
  const OpenedEngine opened;
  std::promise<void> entered;
  std::atomic<bool> has_ended{false};
  Task task = must(opened.engine.task("slow", [&]() -> Result<nanoseconds> {
    entered.set_value();
    std::this_thread::sleep_for(milliseconds(20));
    has_ended = true;
    return nanoseconds::max();
  }));
  entered.get_future().wait();
  must(opened.engine.close());
  CHECK(has_ended);
  task.wake_within(nanoseconds(0));
  CHECK(code_of(opened.engine.task("late", no_more)) == Errc::closed);
}

TEST_CASE("close within a task is refused, and the engine stays open") {
  const OpenedEngine opened;
  std::promise<std::optional<Errc>> answer;
  const Task task = must(opened.engine.task("closes", [&]() -> Result<nanoseconds> {
    answer.set_value(code_of(opened.engine.close()));
    return nanoseconds::max();
  }));
  CHECK(answer.get_future().get() == Errc::invalid_state);
  CHECK(opened.engine.task("next", no_more).ok());
}

TEST_CASE("the last handle of an engine may go within a task") {
  const TempDir directory;
  {
    auto engine = std::make_shared<std::optional<Engine>>(open_engine(directory / "data"));
    auto own = std::make_shared<std::promise<Task>>();
    auto known = std::make_shared<std::future<Task>>(own->get_future());
    own->set_value(must((*engine)->task("last", [engine, known]() -> Result<nanoseconds> {
      const Task task = known->get();
      engine->reset();
      return nanoseconds::max();
    })));
  }
  // Nobody holds it: whether it was closed shows in whether it can be opened.
  CHECK(comes_true([&] { return Engine::open(directory / "data").ok(); }));
}

TEST_CASE("a task needs a name that status can show, a function, and a writer") {
  const OpenedEngine opened;
  CHECK(code_of(opened.engine.task("", no_more)) == Errc::invalid_argument);
  CHECK(code_of(opened.engine.task(std::string(101, 'n'), no_more)) == Errc::invalid_argument);
  CHECK(code_of(opened.engine.task(std::string("a\0b", 3), no_more)) == Errc::invalid_argument);
  CHECK(code_of(opened.engine.task("nothing", {})) == Errc::invalid_argument);
  CHECK(opened.engine.task(std::string(100, 'n'), no_more).ok());
  must(opened.engine.close());
  const Engine reader = open_engine(opened.path(), {.mode = OpenMode::read_only});
  CHECK(code_of(reader.task("reads", no_more)) == Errc::read_only);
}

}  // namespace
}  // namespace seriatim
