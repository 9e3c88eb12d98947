#include "flow/retry/retry_output.hpp"

#include <doctest/doctest.h>

#include <cerrno>

#include "base/clock.hpp"
#include "support/fault_vfs.hpp"
#include "unit/flow/retry/retry_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("an output that a full disk refuses is no failure of the record, whatever the handler returns") {
  for (const bool is_told : {false, true}) {
    const TempDir dir;
    FaultVfs vfs;
    const Engine engine = open_engine_with(dir / "data", vfs, base::system_clock());
    create_topic(engine, "in");
    create_topic(engine, "out");
    must(must(engine.producer()).send_sync({.topic = "in", .value = "v"}));
    int calls = 0;
    RetryConsumer consumer = must(RetryConsumer::open(
        engine, retrying(1),
        [&](const RecordView& record, const RetryAttempt& attempt, RetryOutput& output) -> Result<> {
          CHECK(attempt.number == 1);
          // The partition takes its first blocks.
          if (++calls == 1) vfs.arm({.calls = Calls::takes, .error = ENOSPC});
          const auto sent = output.send({.topic = "out", .value = record.value()});
          if (calls == 1) CHECK(code_of(sent) == Errc::storage_full);
          vfs.heal();
          return is_told ? sent : Result<>();
        }));
    must(settle(consumer));
    CHECK(calls == 2);
    CHECK(committed_values(engine, "out") == std::vector<std::string>{"v"});
    CHECK(committed_values(engine, "in.DLQ").empty());
  }
}

}  // namespace
}  // namespace seriatim::test
