// The threads of a processor: how it begins, stops and ends, and what its workers share.
#include "flow/processor/processor_impl.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "unit/flow/processor/processor_fixture.hpp"

namespace seriatim::test {
namespace {

using namespace std::chrono_literals;

constexpr int shared_records = 400;

std::size_t members_of(const Engine& engine) {
  const auto described = engine.admin().describe_group("g");
  return described ? described->members.size() : 0;
}

}  // namespace

TEST_CASE(
    "workers share the partitions: under exactly once each record has one output, in order by partition") {
  const ProcessorFixture f(shared_records, 4);
  ProcessorOptions options = processing(Delivery::exactly_once);
  options.workers = 2;
  std::atomic<int> handled{0};
  Processor processor = f.open(options, [&](const RecordView& record, ProcessorOutput& output) {
    ++handled;
    return copy_out(record, output);
  });
  must(processor.start());
  CHECK(comes_true([&] { return f.out().size() >= shared_records; }));
  CHECK(members_of(f.engine) == 2);
  processor.stop();
  must(processor.wait());
  CHECK(members_of(f.engine) == 0);
  std::map<int, std::vector<int>> by_partition;
  std::set<std::string> values;
  for (const std::string& value : f.out()) {
    by_partition[std::stoi(value) % 4].push_back(std::stoi(value));
    values.insert(value);
  }
  CHECK(f.out().size() == shared_records);
  CHECK(values.size() == shared_records);
  for (const auto& [partition, in_order] : by_partition)
    CHECK(std::is_sorted(in_order.begin(), in_order.end()));
}

TEST_CASE("workers that come, stop and fail under exactly once leave each record with one output") {
  const ProcessorFixture f(shared_records, 4);
  std::atomic<int> handled{0};
  const ProcessorHandler handler = [&](const RecordView& record, ProcessorOutput& output) -> Result<> {
    if (++handled % 37 == 0) return Error(Errc::io_error, "no");
    return copy_out(record, output);
  };
  for (int run = 0; f.out().size() < shared_records && run < 10 * shared_records; ++run) {
    ProcessorOptions options = processing(Delivery::exactly_once);
    options.workers = static_cast<std::size_t>(run % 3 + 1);
    Processor processor = f.open(options, handler);
    must(processor.start());
    // Until a worker fails, or all is done.
    CHECK(comes_true([&] { return members_of(f.engine) == 0 || f.out().size() == shared_records; }));
    processor.stop();
    const auto ended = processor.wait();
    CHECK((ended.ok() || ended.error().code() == Errc::io_error));
  }
  const Values out = f.out();
  CHECK(out.size() == shared_records);
  CHECK(std::set<std::string>(out.begin(), out.end()).size() == shared_records);
}

TEST_CASE("a stop finishes the batch in hand, commits it and leaves; within the handler, too") {
  const ProcessorFixture f;
  Processor* self = nullptr;
  Errc waited{};
  Processor processor =
      f.open(processing(Delivery::at_least_once), [&](const RecordView& record, ProcessorOutput& output) {
        if (value_of(record) == "1") {
          waited = code_of(self->wait());
          self->stop();
        }
        return copy_out(record, output);
      });
  self = &processor;
  must(processor.start());
  must(processor.wait());
  CHECK(waited == Errc::invalid_state);
  CHECK(f.out() == values_from(0, 5));
  CHECK(f.committed() == 5);
  CHECK(members_of(f.engine) == 0);
}

TEST_CASE("a failure of one worker ends all, and is what wait returns") {
  const ProcessorFixture f(8, 4);
  ProcessorOptions options = processing(Delivery::at_least_once);
  options.workers = 3;
  Processor processor = f.open(options, [](const RecordView&, ProcessorOutput&) -> Result<> {
    return Error(Errc::invalid_record, "no");
  });
  must(processor.start());
  CHECK(code_of(processor.wait()) == Errc::invalid_record);
  CHECK(code_of(processor.wait()) == Errc::invalid_record);
  CHECK(members_of(f.engine) == 0);
}

TEST_CASE("a stop ends a worker that sleeps in a poll, and one that waits to retry") {
  const ProcessorFixture f(1);
  std::atomic<bool> has_failed{false};
  ProcessorOptions options = processing(Delivery::at_least_once, [&](const ProcessorFailure&) {
    has_failed = true;
    return OnFailure::retry;
  });
  options.retry_backoff = std::chrono::hours(1);
  Processor retrying = f.open(
      options, [](const RecordView&, ProcessorOutput&) -> Result<> { return Error(Errc::io_error, "no"); });
  must(retrying.start());
  CHECK(comes_true([&] { return has_failed.load(); }));
  retrying.stop();
  must(retrying.wait());
  Processor sleeping = f.open(processing(Delivery::at_least_once), copy_out);
  must(sleeping.start());
  CHECK(comes_true([&] { return f.out().size() == 1; }));
  sleeping.stop();
  must(sleeping.wait());
}

TEST_CASE("run is the one worker in the caller's thread, until somebody stops it") {
  const ProcessorFixture f;
  std::set<std::thread::id> threads;
  Processor processor =
      f.open(processing(Delivery::at_least_once), [&](const RecordView& record, ProcessorOutput& output) {
        threads.insert(std::this_thread::get_id());
        return copy_out(record, output);
      });
  std::thread stops([&] {
    CHECK(comes_true([&] { return f.out().size() == 10; }));
    CHECK(code_of(processor.start()) == Errc::invalid_state);
    CHECK(code_of(processor.run_once(0ms)) == Errc::invalid_state);
    processor.stop();
    must(processor.wait());
  });
  must(processor.run());
  stops.join();
  CHECK(threads == std::set{std::this_thread::get_id()});
  CHECK(f.committed() == 10);
  CHECK(members_of(f.engine) == 0);
}

TEST_CASE("a processor begins once and ends once") {
  const ProcessorFixture f;
  Processor processor = f.open(processing(Delivery::at_least_once), copy_out);
  must(processor.wait());  // It has not begun.
  must(processor.start());
  CHECK(code_of(processor.start()) == Errc::invalid_state);
  CHECK(code_of(processor.run()) == Errc::invalid_state);
  processor.stop();
  must(processor.wait());
  CHECK(code_of(processor.start()) == Errc::invalid_state);
  Processor stopped = f.open(processing(Delivery::at_least_once), copy_out);
  stopped.stop();
  CHECK(code_of(stopped.start()) == Errc::closed);
  CHECK(code_of(stopped.run()) == Errc::closed);
}

TEST_CASE("wait leaves the group for a processor that is stepped, and was stopped between two steps") {
  const ProcessorFixture f;
  Processor processor = f.open(processing(Delivery::at_least_once), copy_out);
  CHECK(must(processor.run_once(0ms)) == 5);
  CHECK(members_of(f.engine) == 1);
  processor.stop();
  must(processor.wait());
  CHECK(members_of(f.engine) == 0);
  CHECK(code_of(processor.run_once(0ms)) == Errc::closed);
  CHECK(f.committed() == 5);
}

TEST_CASE("an engine that is closed ends its processor, with closed") {
  const ProcessorFixture f;
  Processor processor = f.open(processing(Delivery::exactly_once), copy_out);
  must(processor.start());
  CHECK(comes_true([&] { return f.out().size() == 10; }));
  must(f.engine.close());
  CHECK(code_of(processor.wait()) == Errc::closed);
}

}  // namespace seriatim::test
