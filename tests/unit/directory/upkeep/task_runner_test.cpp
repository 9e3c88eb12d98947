#include "directory/upkeep/task_runner.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "unit/api/engine_fixture.hpp"

namespace seriatim::directory {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using test::comes_true;
using test::must;

constexpr std::int64_t ns_per_ms = 1'000'000;

// Time stands still, and no thread looks: `run_due` does what is due.
struct StandingRunner {
  base::ManualClock clock{1'000};
  std::vector<std::string> lines{};
  TaskRunner runner{clock, [this](std::string_view line) { lines.emplace_back(line); }};

  // Ends the threads' part: what is added later would be refused, so tests add first.
  void run_after(std::int64_t ms) {
    clock.advance_ms(ms);
    runner.run_due();
  }
};

struct RunnerWithThreads {
  TaskRunner runner{base::system_clock(), [](std::string_view) {}};
};

TEST_CASE("a task runs at once, and again when the time is over that its run named") {
  RunnerWithThreads with;
  std::atomic<int> runs{0};
  must(with.runner.add("ticks", [&]() -> Result<nanoseconds> {
    ++runs;
    return nanoseconds(milliseconds(1));
  }));
  CHECK(comes_true([&] { return runs >= 5; }));
}

TEST_CASE("a task that asks for no further run comes when it is woken") {
  RunnerWithThreads with;
  std::atomic<int> runs{0};
  const auto id = must(with.runner.add("sleeps", [&]() -> Result<nanoseconds> {
    ++runs;
    return nanoseconds::max();
  }));
  CHECK(comes_true([&] { return runs == 1; }));
  with.runner.wake_within(id, 0);
  CHECK(comes_true([&] { return runs == 2; }));
  with.runner.wake_within(id, INT64_MAX);
  with.runner.wake_within(id, -5);
  CHECK(comes_true([&] { return runs == 3; }));
}

TEST_CASE("a wake during a run lets another one follow") {
  RunnerWithThreads with;
  std::promise<void> entered;
  std::promise<void> go_on;
  std::atomic<int> runs{0};
  const auto id = must(with.runner.add("long", [&]() -> Result<nanoseconds> {
    if (++runs == 1) {
      entered.set_value();
      go_on.get_future().wait();
    }
    return nanoseconds::max();
  }));
  entered.get_future().wait();
  with.runner.wake_within(id, 0);
  go_on.set_value();
  CHECK(comes_true([&] { return runs == 2; }));
}

TEST_CASE("a task that never returns leaves the other thread to the others") {
  RunnerWithThreads with;
  std::promise<void> go_on;
  auto released = go_on.get_future().share();
  must(with.runner.add("stuck", [released]() -> Result<nanoseconds> {
    released.wait();
    return nanoseconds::max();
  }));
  std::atomic<int> runs{0};
  must(with.runner.add("ticks", [&]() -> Result<nanoseconds> {
    ++runs;
    return nanoseconds(milliseconds(1));
  }));
  CHECK(comes_true([&] { return runs >= 5; }));
  go_on.set_value();
}

TEST_CASE("a failure is told, shown, and followed by a pause of a second, whoever wakes the task") {
  StandingRunner standing;
  std::atomic<int> runs{0};
  // Without threads of its own the runner does nothing by itself: they are ended right away.
  const auto id = must(standing.runner.add("fails", [&]() -> Result<nanoseconds> {
    ++runs;
    if (runs == 2) throw std::runtime_error("no luck");
    return Error(Errc::storage_full, "the disk is full");
  }));
  CHECK(comes_true([&] { return runs == 1; }));
  CHECK(comes_true([&] { return !standing.runner.reports()[0].is_running; }));
  standing.runner.stop();
  REQUIRE(standing.lines.size() == 1);
  CHECK(standing.lines[0] == "task fails: the disk is full");
  standing.runner.wake_within(id, 0);
  standing.run_after(999);
  CHECK(runs == 1);
  standing.run_after(1);
  CHECK(runs == 2);
  const JobReport report = standing.runner.reports()[0];
  CHECK(report.name == "fails");
  CHECK(report.runs == 2);
  CHECK(report.failures == 2);
  CHECK(report.failure.find("no luck") != std::string::npos);
}

TEST_CASE("removing a task waits for its run, and lets what it owns go") {
  RunnerWithThreads with;
  std::promise<void> entered;
  std::atomic<bool> has_ended{false};
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = owned;
  const auto id = must(with.runner.add("slow", [&, held = std::move(owned)]() -> Result<nanoseconds> {
    entered.set_value();
    std::this_thread::sleep_for(milliseconds(20));
    has_ended = true;
    return nanoseconds::max();
  }));
  entered.get_future().wait();
  with.runner.remove(id);
  CHECK(has_ended);
  CHECK(watched.expired());
  CHECK(with.runner.reports().empty());
  with.runner.remove(id);
  with.runner.wake_within(id, 0);
}

TEST_CASE("a task may remove itself, and another one, within its run") {
  RunnerWithThreads with;
  std::atomic<int> others{0};
  const auto other = must(with.runner.add("other", [&]() -> Result<nanoseconds> {
    ++others;
    return nanoseconds::max();
  }));
  CHECK(comes_true([&] { return others == 1; }));
  std::promise<TaskRunner::Id> own;
  auto known = own.get_future();
  std::atomic<int> runs{0};
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = owned;
  own.set_value(must(with.runner.add("once", [&, held = std::move(owned)]() -> Result<nanoseconds> {
    with.runner.remove(known.get());
    with.runner.remove(other);
    ++runs;
    return nanoseconds(0);
  })));
  CHECK(comes_true([&] { return watched.expired(); }));
  CHECK(runs == 1);
  CHECK(with.runner.reports().empty());
}

TEST_CASE("no task begins after the stop, and none can be added") {
  RunnerWithThreads with;
  std::atomic<int> runs{0};
  must(with.runner.add("ticks", [&]() -> Result<nanoseconds> {
    ++runs;
    return nanoseconds(0);
  }));
  CHECK(comes_true([&] { return runs > 3; }));
  with.runner.stop();
  const int at_stop = runs;
  std::this_thread::sleep_for(milliseconds(5));
  CHECK(runs == at_stop);
  CHECK(test::code_of(with.runner.add("late", [] { return Result<nanoseconds>(nanoseconds(0)); })) ==
        Errc::closed);
  with.runner.stop();
}

TEST_CASE("a run that adds tasks while all is stopped is refused, and holds up nobody") {
  RunnerWithThreads with;
  std::promise<void> entered;
  std::optional<Errc> refused;
  must(with.runner.add("adds", [&]() -> Result<nanoseconds> {
    entered.set_value();
    for (;;) {
      const auto added = with.runner.add("more", [] { return Result<nanoseconds>(nanoseconds::max()); });
      if (added) continue;
      refused = added.error().code();
      return nanoseconds::max();
    }
  }));
  entered.get_future().wait();
  with.runner.stop();
  CHECK(refused == Errc::closed);
}

TEST_CASE("tasks that are added, woken and removed by several threads run one at a time") {
  RunnerWithThreads with;
  std::vector<std::thread> threads;
  std::atomic<bool> overlapped{false};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        std::atomic<int> inside{0};
        std::atomic<int> runs{0};
        const auto id = must(with.runner.add("busy", [&]() -> Result<nanoseconds> {
          if (++inside > 1) overlapped = true;
          ++runs;
          --inside;
          return nanoseconds(ns_per_ms);
        }));
        with.runner.wake_within(id, 0);
        if (i % 2 == 0) CHECK(comes_true([&] { return runs > 0; }));
        with.runner.remove(id);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_FALSE(overlapped);
}

}  // namespace
}  // namespace seriatim::directory
