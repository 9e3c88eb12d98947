// A relay as it runs: other relays and threads beside it, and how a run ends.
#include "flow/relay/relay_impl.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <utility>

#include "unit/flow/relay/relay_fixture.hpp"

namespace seriatim::test {
namespace {

constexpr std::chrono::milliseconds without_wait{0};

}  // namespace

TEST_CASE("a relay of the same name fences the one before, and nothing comes twice") {
  const RelayFixture f;
  f.produce(0, 100);
  Relay first = f.open();
  CHECK(must(first.run_once(without_wait)) == 10);
  Relay second = f.open();
  CHECK(must(second.run_once(without_wait)) == 10);
  for (int i = 0; i < 2; ++i) CHECK(code_of(first.run_once(without_wait)) == Errc::producer_fenced);
  must(second.run());
  CHECK(f.out() == f.in());
  CHECK(second.progress().records == 90);
}

TEST_CASE("a group that has members is not the relay's to commit for") {
  const RelayFixture f;
  f.produce(0, 10);
  Consumer member = must(f.engine.consumer({.group_id = "relay:in:out"}));
  must(member.subscribe({"in"}));
  must(member.poll(without_wait));
  Relay relay = f.open();
  CHECK(code_of(relay.run()) == Errc::unknown_member_id);
  CHECK(f.out().empty());
  member.close();
  must(relay.run());
  CHECK(f.out() == f.in());
}

TEST_CASE("one thread at a time runs a relay, and stop ends a run that waits") {
  const RelayFixture f;
  RelayOptions options = relaying();
  options.until_caught_up = false;
  Relay relay = f.open(options);
  std::thread run([&] {
    // As long as the other thread is in its call, it is the one.
    Result<> ran = relay.run();
    while (!ran && ran.error().code() == Errc::invalid_state) ran = relay.run();
    must(ran);
  });
  CHECK(comes_true([&] { return code_of(relay.run_once(without_wait)) == Errc::invalid_state; }));
  CHECK(code_of(relay.run()) == Errc::invalid_state);
  f.produce(0, 5);
  CHECK(comes_true([&] { return relay.progress().records == 5; }));
  relay.stop();
  run.join();
}

TEST_CASE("stop within the application's functions ends the run behind the batch") {
  const RelayFixture f(1, 1);
  f.produce(0, 100);
  Relay* running = nullptr;
  RelayOptions options = relaying(10);
  options.filter = [&](const RecordView& record) {
    if (record.offset() == 15) running->stop();
    return true;
  };
  Relay relay = f.open(options);
  running = &relay;
  must(relay.run());
  CHECK(relay.progress().records == 20);
}

TEST_CASE("a relay within a function of itself is refused") {
  const RelayFixture f(1, 1);
  f.produce(0, 10);
  Relay* running = nullptr;
  std::vector<Errc> answers;
  RelayOptions options = relaying();
  options.filter = [&](const RecordView&) {
    answers.push_back(code_of(running->run_once(without_wait)));
    return true;
  };
  Relay relay = f.open(options);
  running = &relay;
  must(relay.run());
  CHECK(answers == std::vector<Errc>(10, Errc::invalid_state));
}

TEST_CASE("with linger, records that come meanwhile share the batch") {
  const RelayFixture f(1, 1);
  RelayOptions options = relaying(20);
  options.linger = std::chrono::hours(1);
  options.until_caught_up = false;
  f.produce(0, 10);
  Relay relay = f.open(options);
  std::thread run([&] { CHECK(must(relay.run_once(without_wait)) == 20); });
  f.produce(10, 15);
  f.produce(15, 20);
  run.join();
  CHECK(relay.progress().batches == 1);
  // However far the run has come, it does not wait for the time to be over.
  f.produce(20, 21);
  std::thread stopped([&] { must(relay.run()); });
  relay.stop();
  stopped.join();
}

TEST_CASE("a batch that is aborted by its time-out is relayed by the next call") {
  const RelayFixture f(1, 2);
  f.produce(0, 10);
  RelayOptions options = relaying();
  bool aborts = true;
  options.filter = [&](const RecordView& record) {
    if (record.offset() == 5 && std::exchange(aborts, false))
      must(f.engine.admin().abort_transaction("relay:in:out:0"));
    return true;
  };
  Relay relay = f.open(options);
  CHECK(code_of(relay.run()) == Errc::transaction_abortable);
  CHECK(relay.progress().records == 0);
  must(relay.run());
  CHECK(f.out() == f.in());
  CHECK(relay.progress().records == 10);
}

TEST_CASE("a closed engine ends a relay, and a read-only one has none") {
  const RelayFixture f;
  f.produce(0, 10);
  Relay relay = f.open();
  must(f.engine.close());
  CHECK(code_of(relay.run()) == Errc::closed);
  relay.stop();
  const Engine reading = open_engine(f.directory / "data", {.mode = OpenMode::read_only});
  CHECK(code_of(Relay::open(reading, relaying())) == Errc::read_only);
}

TEST_CASE("rates, what is left and the time that it takes are in the progress") {
  const RelayFixture f(1, 1);
  f.produce(0, 1'000);
  Relay relay = f.open(relaying(100));
  CHECK(relay.progress().lag == 1'000);
  CHECK_FALSE(relay.progress().is_caught_up);
  CHECK_FALSE(relay.progress().time_left);
  must(relay.run());
  const RelayProgress progress = relay.progress();
  CHECK(progress.lag == 0);
  CHECK(progress.records == 1'000);
  CHECK(progress.bytes == 1'000 * 5 + 500 + 10 + 2 * 90 + 3 * 900);
  CHECK(progress.records_per_second > 0);
  CHECK(progress.bytes_per_second > progress.records_per_second);
  CHECK(progress.time_left == std::chrono::nanoseconds(0));
}

TEST_CASE("a relay in the background relays what comes, and ends when it is stopped") {
  const RelayFixture f;
  f.produce(0, 50);
  RelayOptions options = relaying(7);
  options.until_caught_up = false;
  Relay relay = f.open(options);
  CHECK_FALSE(relay.outcome());
  must(relay.start_in_background());
  CHECK(code_of(relay.start_in_background()) == Errc::invalid_state);
  CHECK(code_of(relay.run()) == Errc::invalid_state);
  CHECK(code_of(relay.run_once(without_wait)) == Errc::invalid_state);
  f.produce(50, 100);
  CHECK(comes_true([&] { return relay.progress().records == 100; }));
  CHECK_FALSE(relay.outcome());
  relay.stop();
  REQUIRE(comes_true([&] { return relay.outcome().has_value(); }));
  must(*relay.outcome());
  CHECK(code_of(relay.start_in_background()) == Errc::closed);
  CHECK(f.out() == f.in());
}

TEST_CASE("a relay in the background ends when it has caught up, and can begin again") {
  const RelayFixture f;
  f.produce(0, 50);
  Relay relay = f.open(relaying(7));
  for (int i = 0; i < 3; ++i) {
    must(relay.start_in_background());
    REQUIRE(comes_true([&] { return relay.outcome().has_value(); }));
    must(*relay.outcome());
  }
  CHECK(f.out() == f.in());
  must(relay.run());
}

TEST_CASE("a relay in the background ends with an error that would come again, and goes on after others") {
  const RelayFixture f(1, 1);
  f.produce(0, 20);
  RelayOptions options = relaying(7);
  std::atomic<int> failures{0};
  options.transform = [&](const RecordView& record) -> Result<std::optional<OwnedRecord>> {
    if (record.offset() == 8 && failures++ == 0) return Error(Errc::timed_out, "not yet");
    if (record.offset() == 15 && failures++ < 3) return Error(Errc::invalid_argument, "not this one");
    return std::optional<OwnedRecord>(record.to_owned());
  };
  Relay relay = f.open(options);
  must(relay.start_in_background());
  REQUIRE(comes_true([&] { return relay.outcome().has_value(); }));
  CHECK(code_of(*relay.outcome()) == Errc::invalid_argument);
  CHECK(committed_values(f.engine, "out").size() == 14);
  failures = 3;
  must(relay.run());
  CHECK(f.out() == f.in());
}

TEST_CASE(
    "a relay in the background that is destroyed ends behind its batch, and a close of the engine too") {
  const RelayFixture f;
  f.produce(0, 1'000);
  std::atomic<bool> has_begun{false};
  RelayOptions options = relaying(50);
  options.filter = [&](const RecordView&) { return has_begun = true; };
  {
    Relay relay = f.open(options);
    must(relay.start_in_background());
    CHECK(comes_true([&] { return has_begun.load(); }));
  }
  CHECK(committed_records(f.engine, "out").size() % 50 == 0);
  options.until_caught_up = false;
  Relay relay = f.open(options);
  must(relay.start_in_background());
  must(f.engine.close());
  CHECK(code_of(relay.run()) != Errc{});
}

}  // namespace seriatim::test
