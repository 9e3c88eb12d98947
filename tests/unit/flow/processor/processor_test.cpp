// `Processor`: its options, and what it answers where it is not used as it is meant to be.
#include <seriatim/flow/processor.hpp>

#include <doctest/doctest.h>

#include <functional>

#include "unit/flow/processor/processor_fixture.hpp"

namespace seriatim::test {
namespace {

const auto handles_nothing = [](const RecordView&, ProcessorOutput&) { return Result<>(); };

Errc refusal(const ProcessorFixture& f, const std::function<void(ProcessorOptions&)>& change) {
  ProcessorOptions options = processing(Delivery::at_least_once);
  change(options);
  return code_of(Processor::open(f.engine, options, handles_nothing));
}

}  // namespace

TEST_CASE("options out of range are refused by name, before anything begins") {
  const ProcessorFixture f(0);
  CHECK(refusal(f, [](ProcessorOptions&) {}) == Errc{});
  CHECK(refusal(f, [](ProcessorOptions& o) { o.group_id.clear(); }) == Errc::invalid_argument);
  CHECK(refusal(f, [](ProcessorOptions& o) { o.topics.clear(); }) == Errc::invalid_argument);
  CHECK(refusal(f, [](ProcessorOptions& o) { o.pattern = {"i."}; }) == Errc::invalid_argument);
  CHECK(refusal(f, [](ProcessorOptions& o) { o.delivery = static_cast<Delivery>(3); }) ==
        Errc::invalid_argument);
  CHECK(refusal(f, [](ProcessorOptions& o) { o.workers = 0; }) == Errc::invalid_argument);
  CHECK(refusal(f, [](ProcessorOptions& o) { o.workers = 1'001; }) == Errc::invalid_argument);
  CHECK(refusal(f, [](ProcessorOptions& o) { o.acks = Acks::none; }) == Errc::invalid_argument);
  CHECK(refusal(f, [](ProcessorOptions& o) { o.retry_backoff = std::chrono::milliseconds(-1); }) ==
        Errc::invalid_argument);
  CHECK(refusal(f, [](ProcessorOptions& o) { o.consumer.group_id = "other"; }) == Errc::invalid_argument);
  CHECK(refusal(f, [](ProcessorOptions& o) { o.consumer.auto_commit = true; }) == Errc::invalid_argument);
  CHECK(code_of(Processor::open(f.engine, processing(Delivery::at_least_once), {})) ==
        Errc::invalid_argument);
}

TEST_CASE(
    "options of the consumer and of the transactions are checked when it begins, and it can begin again") {
  const ProcessorFixture f(0);
  ProcessorOptions options = processing(Delivery::exactly_once);
  options.transaction_timeout = std::chrono::milliseconds(0);
  Processor processor = f.open(options, handles_nothing);
  CHECK(code_of(processor.start()) == Errc::invalid_transaction_timeout);
  CHECK(code_of(processor.run()) == Errc::invalid_transaction_timeout);
  CHECK(f.engine.admin().describe_group("g").error().code() == Errc::group_id_not_found);
  options.consumer.max_poll_records = 0;
  CHECK(code_of(f.open(options, handles_nothing).start()) == Errc::invalid_argument);
}

TEST_CASE("a pattern finds topics") {
  const ProcessorFixture f;
  ProcessorOptions options = processing(Delivery::at_least_once);
  options.topics.clear();
  options.pattern = {"i."};
  int handled = 0;
  Processor processor = f.open(options, [&](const RecordView&, ProcessorOutput&) -> Result<> {
    ++handled;
    return {};
  });
  must(drain(processor));
  CHECK(handled == 10);
}

TEST_CASE("a processor that was moved from answers closed; one that is replaced has ended") {
  const ProcessorFixture f;
  Processor processor = f.open(processing(Delivery::at_least_once), handles_nothing);
  must(drain(processor));
  Processor taken = std::move(processor);
  // NOLINTBEGIN(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  CHECK(code_of(processor.start()) == Errc::closed);
  CHECK(code_of(processor.run()) == Errc::closed);
  CHECK(code_of(processor.run_once(std::chrono::milliseconds(0))) == Errc::closed);
  CHECK(code_of(processor.wait()) == Errc::closed);
  processor.stop();
  // NOLINTEND(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  CHECK(must(f.engine.admin().describe_group("g")).members.size() == 1);
  taken = f.open(processing(Delivery::at_least_once), handles_nothing);
  CHECK(must(f.engine.admin().describe_group("g")).members.empty());
}

}  // namespace seriatim::test
