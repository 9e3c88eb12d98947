// INV-4 for retries: whichever call of the file system fails while records fail, are scheduled, held back and
// die, in the end each is done or dead once, and in the order of its key.
#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>

#include <seriatim/flow/retry_consumer.hpp>

#include "base/clock.hpp"
#include "directory/background.hpp"
#include "support/fault_vfs.hpp"
#include "unit/flow/retry/retry_fixture.hpp"

namespace seriatim::test {
namespace {

std::string joined(const std::vector<std::string>& values) {
  std::string all;
  for (const std::string& value : values) all += value + " ";
  return all;
}

/// "dead" dies at its second attempt, "later" succeeds then; each success is a record of "out".
RetryConsumer open_faulty(const Engine& engine) {
  RetryConsumerOptions options = retrying(2);
  options.acks = Acks::all;
  options.keeps_order_per_key = true;
  return must(RetryConsumer::open(
      engine, options,
      [](const RecordView& record, const RetryAttempt& attempt, RetryOutput& output) -> Result<> {
        const std::string value = value_at(record);
        if (value == "dead" || (value == "later" && attempt.number == 1)) return Error(Errc::not_found, "no");
        return output.send({.topic = "out", .value = value});
      }));
}

/// @return whether the fault was met.
bool attempt_retries(const std::string& directory, const Fault& fault) {
  FaultVfs vfs;
  const Engine engine = open_engine_with(directory, vfs, base::system_clock(),
                                         {.journal_max_bytes = 1U << 20U, .journal_file_bytes = 64U << 10U});
  // Of nothing but what is tried the fault is met.
  detail::EngineImpl::of(engine)->background->stop();
  create_topic(engine, "in");
  create_topic(engine, "out");
  bool is_met = false;
  {
    Producer producer = must(engine.producer());
    for (const char* value : {"dead", "later", "last"})
      must(producer.send_sync({.topic = "in", .key = "k", .value = value}));
    RetryConsumer consumer = open_faulty(engine);
    vfs.arm(fault);
    // Without a fault all is done by then.
    for (int i = 0; i < 8; ++i) {
      const bool goes_on = consumer.run_once(at_once).ok() && consumer.deliver_retries().ok();
      if (!goes_on) break;
    }
    is_met = vfs.met() > 0;
    vfs.heal();
  }
  const auto closed = engine.close();  // After a failed sync it says so again.
  return is_met;
}

}  // namespace

TEST_CASE("INV-4: a failed record is done or dead once, in its key's order, whatever call fails") {
  for (const Calls calls : {Calls::takes, Calls::changes, Calls::syncs}) {
    std::int64_t met = 0;
    for (std::int64_t after = 0;; ++after) {
      const TempDir dir;
      const bool is_met = attempt_retries(
          dir / "data",
          {.calls = calls, .error = calls == Calls::syncs ? EIO : ENOSPC, .after = after, .for_ever = false});
      CAPTURE(static_cast<int>(calls));
      CAPTURE(after);
      const Engine engine = open_engine(dir / "data");
      RetryConsumer consumer = open_faulty(engine);
      must(settle(consumer));
      CHECK(joined(committed_values(engine, "out")) == "later last ");
      CHECK(joined(committed_values(engine, "in.DLQ")) == "dead ");
      CHECK(must(count_delayed_messages(engine, "retry:g")) == 0);
      if (!is_met) break;
      ++met;
    }
    CHECK(met >= 2);
  }
}

}  // namespace seriatim::test
