#include "directory/upkeep/periodic_job.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <new>

#include "base/saturate.hpp"

namespace seriatim::directory {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

// A table with a clock that the test moves.
struct JobFixture {
  explicit JobFixture(std::vector<PeriodicJob> jobs)
      : table(clock, std::move(jobs), [this](std::string_view line) { lines.emplace_back(line); }) {}

  std::vector<std::size_t> due() { return table.take_due(clock.monotonic_ns()); }
  std::size_t run_due() {
    const auto jobs = due();
    for (const std::size_t job : jobs) table.run(job);
    return jobs.size();
  }

  base::ManualClock clock{1'000'000};
  std::vector<std::string> lines{};
  JobTable table;
};

TEST_CASE("a job comes when its period has passed since its last end") {
  int runs = 0;
  JobFixture jobs(
      {{.name = "j", .period_ns = 10 * second_ns, .first_after_ns = 2 * second_ns, .run = [&](JobRun&) {
          ++runs;
        }}});
  CHECK(jobs.run_due() == 0);
  jobs.clock.advance_ms(2'000);
  CHECK(jobs.run_due() == 1);
  jobs.clock.advance_ms(9'999);
  CHECK(jobs.run_due() == 0);
  jobs.clock.advance_ms(1);
  CHECK(jobs.run_due() == 1);
  CHECK(runs == 2);
}

TEST_CASE("a period at the limit of its type means never") {
  JobFixture jobs({{.name = "j",
                    .period_ns = base::ns_of_ms(std::chrono::milliseconds::max().count()),
                    .first_after_ns = base::ns_of_ms(std::chrono::milliseconds::max().count()),
                    .run = [](JobRun&) {}},
                   {.name = "later",
                    .period_ns = base::ns_of_ms(std::chrono::milliseconds::max().count()) - 1,
                    .first_after_ns = base::ns_of_ms(std::chrono::milliseconds::max().count()) - 1,
                    .run = [](JobRun&) {}}});
  for (int year = 0; year < 100; ++year) {
    jobs.clock.advance_ms(std::int64_t{365} * 24 * 3600 * 1000);
    CHECK(jobs.run_due() == 0);
  }
}

TEST_CASE("a job that is wanted comes before its time, and one that is held back stays due") {
  bool is_wanted = false;
  bool is_held_back = false;
  JobFixture jobs({{.name = "j",
                    .run = [&](JobRun&) { is_wanted = false; },
                    .is_wanted = [&](std::int64_t) { return is_wanted; },
                    .is_held_back = [&] { return is_held_back; }}});
  CHECK(jobs.run_due() == 0);
  is_wanted = is_held_back = true;
  CHECK(jobs.run_due() == 0);
  is_held_back = false;
  CHECK(jobs.run_due() == 1);
  CHECK(jobs.run_due() == 0);
}

TEST_CASE("a job that was taken is not taken again before it has run or was put back") {
  JobFixture jobs({{.name = "j", .period_ns = 0, .run = [](JobRun&) {}}});
  REQUIRE(jobs.due().size() == 1);
  CHECK(jobs.due().empty());
  CHECK_FALSE(jobs.table.take(0));
  jobs.table.put_back(0);
  CHECK(jobs.table.take(0));
  jobs.table.run(0);
  CHECK(jobs.due().size() == 1);
}

TEST_CASE("a failure is told, and the job comes again a second later at the earliest") {
  bool fails = true;
  JobFixture jobs({{.name = "j",
                    .period_ns = 0,
                    .run =
                        [&](JobRun& run) {
                          if (fails) run.fail("first");
                          if (fails) run.fail("second");
                        },
                    .is_wanted = [](std::int64_t) { return true; }}});
  CHECK(jobs.run_due() == 1);
  CHECK(jobs.lines == std::vector<std::string>{"first", "second"});
  auto report = jobs.table.reports()[0];
  CHECK(report.runs == 1);
  CHECK(report.failures == 1);
  CHECK(report.failure == "first");
  jobs.clock.advance_ms(999);
  CHECK(jobs.run_due() == 0);
  CHECK_FALSE(jobs.table.take(0));
  fails = false;
  jobs.clock.advance_ms(1);
  CHECK(jobs.run_due() == 1);
  report = jobs.table.reports()[0];
  CHECK(report.failures == 1);
  CHECK(report.failure.empty());
}

TEST_CASE("a run without memory is a failure of that run") {
  JobFixture jobs({{.name = "j", .period_ns = 0, .run = [](JobRun&) { throw std::bad_alloc(); }}});
  CHECK(jobs.run_due() == 1);
  CHECK(jobs.table.reports()[0].failure == "out of memory");
}

TEST_CASE("a report has the times of the last run, by the wall clock") {
  JobFixture jobs({{.name = "j", .period_ns = 5 * second_ns, .run = [](JobRun&) {}}});
  CHECK(jobs.table.reports()[0].begin_ms == 0);
  CHECK(jobs.table.reports()[0].period_ms == 5'000);
  jobs.clock.advance_ms(7);
  CHECK(jobs.run_due() == 1);
  const auto report = jobs.table.reports()[0];
  CHECK(report.begin_ms == 1'000'007);
  CHECK(report.end_ms == 1'000'007);
  CHECK_FALSE(report.is_running);
}

}  // namespace
}  // namespace seriatim::directory
