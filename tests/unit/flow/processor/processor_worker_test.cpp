// A worker's way with failures: of the handler, of each step, of the group, and how it stops.
#include "flow/processor/processor_worker.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "unit/flow/processor/processor_fixture.hpp"

namespace seriatim::test {
namespace {

using namespace std::chrono_literals;

/// A step that fails as the test says, and notes its calls: "begin", "finish 5", ...
struct StepScript {
  std::string calls{};
  std::vector<Error> begins{};    ///< Failures to come, the last one first.
  std::vector<Error> finishes{};  ///< The same.
  bool can_finish_again = false;
  bool keeps_handled = true;
};

class ScriptedStep final : public detail::DeliveryStep {
 public:
  explicit ScriptedStep(StepScript& script) : script_(script) {}
  Result<> begin(Consumer&, const TopicPartitionOffsets&) override { return note("begin ", script_.begins); }
  Result<> send(const ProducerRecord&) override { return {}; }
  Result<> finish(Consumer&, const TopicPartitionOffsets& behind) override {
    return note("finish " + offset_of(behind), script_.finishes);
  }
  bool can_finish_again() const noexcept override { return script_.can_finish_again; }
  bool keeps_handled() const noexcept override { return script_.keeps_handled; }
  void give_up() noexcept override { script_.calls += "give_up "; }
  Result<> stop(Consumer&, const TopicPartitionOffsets& before,
                const TopicPartitionOffsets& behind) override {
    script_.calls += "stop " + offset_of(before) + offset_of(behind);
    return {};
  }

 private:
  static std::string offset_of(const TopicPartitionOffsets& offsets) {
    return std::to_string(offsets.begin()->second.offset) + " ";
  }
  Result<> note(const std::string& call, std::vector<Error>& failures) {
    script_.calls += call;
    if (failures.empty()) return {};
    Error failure = failures.back();
    failures.pop_back();
    return failure;
  }
  StepScript& script_;
};

/// A worker with a scripted step, over five records.
struct ScriptedWorker {
  explicit ScriptedWorker(ProcessorDecision on_failure) {
    options = processing(Delivery::at_least_once, std::move(on_failure));
    Consumer consumer = must(f.engine.consumer({.group_id = "g", .max_poll_records = 5}));
    must(consumer.subscribe({"in"}));
    worker.emplace(detail::ProcessorParts{f.engine, options, handler, control}, std::move(consumer),
                   std::make_unique<ScriptedStep>(script));
  }
  Result<std::size_t> step() { return worker->run_once(0ms); }

  ProcessorFixture f{10};
  ProcessorOptions options{};
  Values handled{};
  std::string throws_at{};
  ProcessorHandler handler = [this](const RecordView& record, ProcessorOutput&) -> Result<> {
    if (value_of(record) == throws_at) throw std::runtime_error("no");
    handled.push_back(value_of(record));
    return {};
  };
  detail::ProcessorControl control{};
  StepScript script{};
  std::optional<detail::ProcessorWorker> worker{};
};

const Error full{Errc::storage_full, "full"};
const Error unknown_member{Errc::unknown_member_id, "removed"};

OnFailure retries(const ProcessorFailure&) { return OnFailure::retry; }

}  // namespace

TEST_CASE("a begin or a commit that fails is asked about without a record, and repeated alone") {
  std::vector<std::uint32_t> attempts;
  ScriptedWorker w([&](const ProcessorFailure& failure) {
    CHECK(failure.record == nullptr);
    CHECK(failure.error.code() == Errc::storage_full);
    attempts.push_back(failure.attempts);
    return OnFailure::retry;
  });
  w.script.begins = {full, full};
  CHECK(must(w.step()) == 5);
  w.script.calls += "| ";
  w.script.finishes = {full};
  w.script.can_finish_again = true;
  CHECK(must(w.step()) == 5);
  CHECK(w.script.calls == "begin begin begin finish 5 | begin finish 10 finish 10 ");
  CHECK(w.handled == values_from(0, 10));
  CHECK(attempts == std::vector<std::uint32_t>{1, 2, 1});
}

TEST_CASE("where outputs or a transaction are lost, the records are handled again") {
  ScriptedWorker w(retries);
  w.script.finishes = {full};
  must(w.step());
  CHECK(w.script.calls == "begin finish 5 give_up begin finish 5 ");
  Values twice = values_from(0, 5);
  for (const std::string& value : values_from(0, 5)) twice.push_back(value);
  CHECK(w.handled == twice);
}

TEST_CASE("a worker whose partitions are another's drops the batch, without an error and unasked") {
  ScriptedWorker w([](const ProcessorFailure&) -> OnFailure { throw std::logic_error("asked"); });
  w.script.finishes = {unknown_member};
  CHECK(must(w.step()) == 5);
  w.script.begins = {unknown_member};
  CHECK(must(w.step()) == 5);
  CHECK(w.script.calls == "begin finish 5 give_up begin give_up ");
}

TEST_CASE(
    "a fatal failure of a step ends it unasked; skipping what is no record ends it, and commits nothing") {
  ScriptedWorker fenced([](const ProcessorFailure&) -> OnFailure { throw std::logic_error("asked"); });
  fenced.script.begins = {{Errc::producer_fenced, "fenced"}};
  CHECK(code_of(fenced.step()) == Errc::producer_fenced);
  ScriptedWorker skips([](const ProcessorFailure&) { return OnFailure::skip; });
  skips.script.finishes = {full};
  CHECK(code_of(skips.step()) == Errc::storage_full);
  CHECK(skips.script.calls == "begin finish 5 give_up ");
}

TEST_CASE("a transaction that is aborted for a record is cut before it: each part is handled again once") {
  int failures = 0;
  ScriptedWorker w([&](const ProcessorFailure& failure) {
    CHECK(value_of(*failure.record) == "3");
    CHECK(failure.attempts == static_cast<std::uint32_t>(++failures));
    if (failures == 3) w.throws_at.clear();
    return OnFailure::retry;
  });
  w.script.keeps_handled = false;
  w.throws_at = "3";
  must(w.step());
  CHECK(w.script.calls == "begin give_up begin finish 3 begin give_up begin give_up begin finish 5 ");
  CHECK(w.handled == Values{"0", "1", "2", "0", "1", "2", "3", "4"});
}

TEST_CASE("a record that fails while the processor stops is not retried, and comes again") {
  ScriptedWorker w(retries);
  w.throws_at = "3";
  w.control.stop();
  CHECK(must(w.step()) == 5);
  CHECK(w.script.calls == "begin stop 3 3 ");
}

TEST_CASE("a stop for a record tells what comes again, and what does not; the error names the record") {
  ScriptedWorker w({});
  w.throws_at = "3";
  const auto failed = w.step();
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message().find("handling in-0 offset 3") != std::string::npos);
  CHECK(w.script.calls == "begin stop 3 4 ");
}

TEST_CASE("a decision that throws stops, with the failure in its error") {
  ScriptedWorker w([](const ProcessorFailure&) -> OnFailure { throw std::logic_error("undecided"); });
  w.throws_at = "0";
  const auto failed = w.step();
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message().find("undecided") != std::string::npos);
  CHECK(failed.error().message().find("handling in-0 offset 0") != std::string::npos);
}

TEST_CASE("nobody decides: what is retriable is retried, anything else stops") {
  ScriptedWorker w({});
  w.script.begins = {full, {Errc::transaction_abortable, "timed out"}};
  CHECK(must(w.step()) == 5);
  w.script.begins = {{Errc::io_error, "broken"}};
  CHECK(code_of(w.step()) == Errc::io_error);
}

TEST_CASE("a poll that fails is asked about; the listener's exception is no end") {
  const ProcessorFixture f;
  int asked = 0;
  ProcessorOptions options = processing(Delivery::at_least_once, [&](const ProcessorFailure& failure) {
    CHECK(failure.record == nullptr);
    ++asked;
    return OnFailure::retry;
  });
  options.listener.on_assigned = [](const std::vector<TopicPartition>&) { throw std::runtime_error("no"); };
  Processor processor = f.open(options, copy_out);
  must(drain(processor));
  CHECK(asked == 1);
  CHECK(f.out() == values_from(0, 10));
}

TEST_CASE("a member that is removed while it handles a batch joins again, and the batch comes again") {
  for (const Delivery delivery : {Delivery::at_least_once, Delivery::exactly_once}) {
    const ProcessorFixture f;
    bool is_removed = false;
    Processor processor =
        f.open(processing(delivery), [&](const RecordView& record, ProcessorOutput& output) {
          if (value_of(record) == "7" && !std::exchange(is_removed, true))
            must(f.engine.admin().remove_group_members("g"));
          return copy_out(record, output);
        });
    must(drain(processor));
    CHECK(f.committed() == 10);
    CHECK(f.out().size() == (delivery == Delivery::exactly_once ? 10 : 15));
  }
}

TEST_CASE("a transaction whose time is up is aborted, and its batch is handled again") {
  const ProcessorFixture f;
  bool is_late = false;
  Processor processor =
      f.open(processing(Delivery::exactly_once), [&](const RecordView& record, ProcessorOutput& output) {
        auto sent = copy_out(record, output);
        if (value_of(record) == "7" && !std::exchange(is_late, true))
          must(f.engine.admin().abort_transaction("g-0"));
        return sent;
      });
  must(drain(processor));
  CHECK(is_late);
  CHECK(f.out() == values_from(0, 10));
}

}  // namespace seriatim::test
