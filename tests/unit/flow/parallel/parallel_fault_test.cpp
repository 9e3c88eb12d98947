// INV-4 for parallel consumers: whichever call of the file system fails, in the end each record was handled,
// and none that was finished when its commit had returned is handled again.
#include <doctest/doctest.h>

#include <set>

#include "directory/background.hpp"
#include "unit/flow/parallel/parallel_fixture.hpp"

#include "support/fault_vfs.hpp"

namespace seriatim::test {
namespace {

using namespace std::chrono_literals;

constexpr int fault_records = 40;
constexpr int fault_keys = 8;

void fill_for_faults(const Engine& engine) {
  create_topic(engine, "in");
  Producer producer = must(engine.producer());
  for (int i = 0; i < fault_records; ++i) {
    must(producer.send_sync(
        {.topic = "in", .key = "k" + std::to_string(i % fault_keys), .value = std::to_string(i)}));
  }
}

struct FaultAttempt {
  bool is_met = false;
  std::set<std::string> handled{};
};

/// One key fails for ever, so that there are ranges. Failures of no record are retried a few times.
FaultAttempt attempt_with(const std::string& directory, const Fault& fault) {
  FaultVfs vfs;
  const Engine engine = open_engine_with(directory, vfs, base::system_clock(),
                                         {.journal_max_bytes = 1U << 20U, .journal_file_bytes = 64U << 10U});
  // Of nothing but what is tried the fault is met.
  detail::EngineImpl::of(engine)->background->stop();
  fill_for_faults(engine);
  Seen seen;
  ParallelConsumerOptions options = in_parallel(2);
  options.acks = Acks::all;
  options.on_failure = [](const ParallelFailure& failure) {
    if (failure.record != nullptr) return OnFailure::retry;
    return failure.attempts < 3 ? OnFailure::retry : OnFailure::stop;
  };
  options.backoff.initial = 1ms;
  std::atomic<bool> has_ended{false};
  FaultAttempt attempt;
  {
    ParallelConsumer consumer =
        must(ParallelConsumer::open(engine, options, [&](const RecordView& record) -> Result<> {
          if (record.key().text() == "k3") return Error(Errc::timed_out, "not today");
          seen.note(record);
          return {};
        }));
    vfs.arm(fault);
    must(consumer.start());
    std::thread waits([&] {
      // An error is the fault's, or that of a commit that it left undone.
      has_ended = !consumer.wait().ok() || true;
    });
    constexpr int records_without_k3 = fault_records - fault_records / fault_keys;
    wait_until([&] { return has_ended || seen.count() == records_without_k3; });
    consumer.stop();
    waits.join();
    attempt.is_met = vfs.met() > 0;
    vfs.heal();
  }
  for (const auto& [key, value] : seen.values()) attempt.handled.insert(value);
  CHECK(attempt.handled.size() == seen.count());
  const auto closed = engine.close();  // After a failed sync it says so again.
  return attempt;
}

/// The values that the next one handles.
std::set<std::string> handled_in_the_end(const std::string& directory) {
  const Engine engine = open_engine(directory);
  Seen seen;
  ParallelConsumer consumer =
      must(ParallelConsumer::open(engine, in_parallel(2), [&](const RecordView& record) {
        seen.note(record);
        return Result<>();
      }));
  must(consumer.start());
  wait_until([&] { return committed_offset(engine, "g", {"in", 0}) == fault_records; });
  consumer.stop();
  must(consumer.wait());
  std::set<std::string> values;
  for (const auto& [key, value] : seen.values()) CHECK(values.insert(value).second);
  return values;
}

}  // namespace

TEST_CASE("INV-4: a parallel consumer leaves no record out, whatever call fails") {
  for (const Calls calls : {Calls::takes, Calls::changes, Calls::syncs}) {
    for (const bool for_ever : {false, true}) {
      std::int64_t met = 0;
      for (std::int64_t after = 0;; ++after) {
        const TempDir dir;
        const FaultAttempt tried = attempt_with(dir / "data", {.calls = calls,
                                                               .error = calls == Calls::syncs ? EIO : ENOSPC,
                                                               .after = after,
                                                               .for_ever = for_ever});
        CAPTURE(static_cast<int>(calls));
        CAPTURE(after);
        std::set<std::string> all = handled_in_the_end(dir / "data");
        const bool is_kept = !tried.is_met;
        if (is_kept) {
          CHECK(all.size() == fault_records / fault_keys);  // k3 alone: the rest was kept
        }
        all.insert(tried.handled.begin(), tried.handled.end());
        CHECK(all.size() == fault_records);
        if (is_kept) break;
        ++met;
      }
      CHECK(met >= 1);
    }
  }
}

}  // namespace seriatim::test
