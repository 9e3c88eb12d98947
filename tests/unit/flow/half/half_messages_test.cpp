// Half messages: appended once or never, whoever decides, and whatever stops on the way.
#include <seriatim/flow/half_message.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <limits>
#include <thread>

#include "flow/half/half_message_codec.hpp"
#include "flow/half/half_messages_impl.hpp"
#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

using std::chrono::milliseconds;
using Values = std::vector<std::string>;

struct Fixture {
  Fixture() { create_topic(engine, "t"); }
  HalfMessages half(HalfMessagesOptions options = {}, HalfCheck check = {}) const {
    return open(engine, std::move(options), std::move(check));
  }
  HalfMessages open(const Engine& in, HalfMessagesOptions options, HalfCheck check = {}) const {
    options.name = "shop";
    options.checks_in_background = false;
    return must(detail::HalfMessagesImpl::open(in, std::move(options), std::move(check),
                                               [this] { return Timestamp(milliseconds(clock.wall_ms())); }));
  }

  TempDir dir;
  TempDir copies;
  base::ManualClock clock{1'700'000'000'000};
  Engine engine = open_engine_with(dir / "data", os::posix_vfs(), clock);
};

HalfCheck answering(HalfVerdict verdict) {
  return [verdict](const HalfMessage&) { return verdict; };
}

}  // namespace

TEST_CASE("a half message is seen once it is committed, with all that it has") {
  const Fixture f;
  HalfMessages half = f.half();
  const HeaderView header{"h", "x"};
  const HeaderView null_header{"n", {}};
  const std::vector<HeaderView> headers{header, null_header};
  const Timestamp time{milliseconds(5)};
  const auto prepared = must(half.prepare(
      {.topic = "t", .key = "k", .value = "v", .partition = 0, .timestamp = time, .headers = headers}));
  CHECK(read_all(f.engine, "t").empty());
  const auto listed = must(half.list());
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].id == prepared.id());
  CHECK(listed[0].topic == "t");
  CHECK(listed[0].key == "k");
  CHECK(must(half.commit(prepared.id())) == HalfDecision::committed);
  CHECK(must(half.list()).empty());
  const auto records = read_all(f.engine, "t");
  REQUIRE(records.size() == 1);
  CHECK(records[0].key == "k");
  CHECK(records[0].value == "v");
  CHECK(records[0].timestamp == time);
  REQUIRE(records[0].headers.size() == 2);
  CHECK(records[0].headers[0].second == "x");
  CHECK_FALSE(records[0].headers[1].second);
}

TEST_CASE("the first decision stays, and later ones are told it") {
  const Fixture f;
  HalfMessages half = f.half();
  const auto a = must(half.prepare({.topic = "t", .value = "a"}));
  const auto b = must(half.prepare({.topic = "t", .value = "b"}));
  CHECK(must(half.commit(a.id())) == HalfDecision::committed);
  CHECK(must(half.rollback(a.id())) == HalfDecision::committed);
  CHECK(must(half.commit(a.id())) == HalfDecision::committed);
  CHECK(must(half.rollback(b.id())) == HalfDecision::rolled_back);
  CHECK(must(half.commit(b.id())) == HalfDecision::rolled_back);
  CHECK(read_values(f.engine, "t") == Values{"a"});
  CHECK(code_of(half.commit(std::string(32, '0'))) == Errc::not_found);
  CHECK(code_of(half.commit("x")) == Errc::invalid_argument);
}

TEST_CASE("what cannot be appended is refused when it is prepared") {
  const Fixture f;
  HalfMessages half = f.half();
  CHECK(code_of(half.prepare({.topic = "no", .value = "v"})) == Errc::unknown_topic_or_partition);
  const std::string large(2U << 20U, 'x');
  CHECK(code_of(half.prepare({.topic = "t", .value = large})) == Errc::record_too_large);
  must(f.engine.admin().create_topic({.name = "large", .config = {{"max.message.bytes", "4194304"}}}));
  CHECK(code_of(half.prepare({.topic = "large", .value = large})) == Errc::invalid_argument);
  CHECK(must(half.list()).empty());
}

TEST_CASE("whatever a commit would refuse is refused when it is prepared, and what is not can be committed") {
  const Fixture f;
  must(f.engine.admin().create_topic({.name = "small", .config = {{"max.message.bytes", "200"}}}));
  must(f.engine.admin().create_topic(
      {.name = "zipped", .config = {{"max.message.bytes", "200"}, {"compression.type", "zstd"}}}));
  must(f.engine.admin().create_topic({.name = "keyed", .config = {{"cleanup.policy", "compact"}}}));
  HalfMessages half = f.half();
  const std::string large(300, 'x');
  const auto refused = [&](const ProducerRecord& record) {
    const auto prepared = half.prepare(record);
    return prepared ? Errc{} : prepared.error().code();
  };
  CHECK(refused({.topic = "small", .value = large}) == Errc::record_too_large);
  CHECK(refused({.topic = "keyed", .value = "v"}) == Errc::invalid_record);
  CHECK(refused({.topic = "t", .value = "v", .timestamp = Timestamp(milliseconds(-5))}) ==
        Errc::invalid_timestamp);
  CHECK(refused({.topic = "t", .value = "v", .partition = 7}) == Errc::unknown_topic_or_partition);
  CHECK(must(half.list()).empty());
  for (const ProducerRecord& record : {ProducerRecord{.topic = "zipped", .value = large},
                                       ProducerRecord{.topic = "keyed", .key = "k", .value = "v"},
                                       ProducerRecord{.topic = "t", .value = "v", .sequence = 9}}) {
    const auto prepared = must(half.prepare(record));
    CHECK(must(half.commit(prepared.id())) == HalfDecision::committed);
  }
}

TEST_CASE("half messages work beside whatever time the engine allows a transaction") {
  for (const auto allowed : {milliseconds(1'000), milliseconds(1)}) {
    CAPTURE(allowed.count());
    TempDir dir;
    const Engine engine = must(Engine::open(dir / "data", {.transaction_max_timeout = allowed}));
    create_topic(engine, "t");
    CHECK(HalfMessages::open(engine, {.name = "shop", .checks_in_background = false}).ok());
  }
}

TEST_CASE("two deciders at once: one decision, one record or none") {
  const Fixture f;
  HalfMessages half = f.half();
  Values expected;
  for (int i = 0; i < 30; ++i) {
    const std::string value = std::to_string(i);
    const auto prepared = must(half.prepare({.topic = "t", .value = value}));
    HalfDecision one{};
    HalfDecision other{};
    std::thread thread([&] { one = half.commit(prepared.id()).value(); });
    other = must(half.rollback(prepared.id()));
    thread.join();
    CHECK(one == other);
    if (one == HalfDecision::committed) expected.push_back(value);
  }
  CHECK(read_values(f.engine, "t") == expected);
}

TEST_CASE("INV-4: a stop at any moment leaves a half message prepared, or decided whole") {
  const Fixture f;
  HalfMessages half = f.half();
  const auto prepared = must(half.prepare({.topic = "t", .value = "v"}));
  {
    const Engine after = open_engine(copy_of(f.engine, f.copies));
    CHECK(committed_values(after, "t").empty());
    HalfMessages restarted = f.open(after, {});
    REQUIRE(must(restarted.list()).size() == 1);
    CHECK(must(restarted.commit(prepared.id())) == HalfDecision::committed);
    CHECK(committed_values(after, "t") == Values{"v"});
  }
  must(half.commit(prepared.id()));
  const Engine after = open_engine(copy_of(f.engine, f.copies));
  HalfMessages restarted = f.open(after, {}, answering(HalfVerdict::rollback));
  CHECK(must(restarted.list()).empty());
  CHECK(must(restarted.check()).checked == 0);
  CHECK(must(restarted.rollback(prepared.id())) == HalfDecision::committed);
  CHECK(committed_values(after, "t") == Values{"v"});
}

TEST_CASE("a check decides what is undecided for long enough, and nothing whose owner is at work") {
  const Fixture f;
  std::vector<std::string> asked;
  HalfMessages half = f.half({.check_after = milliseconds(0)}, [&](const HalfMessage& message) {
    asked.push_back(*message.value);
    return message.value == "yes" ? HalfVerdict::commit : HalfVerdict::rollback;
  });
  const auto at_work = must(half.prepare({.topic = "t", .value = "at work"}));
  for (const char* value : {"yes", "no"}) must(half.prepare({.topic = "t", .value = value}));
  const HalfCheckSummary summary = must(half.check());
  CHECK(summary.checked == 2);
  CHECK(summary.committed == 1);
  CHECK(summary.rolled_back == 1);
  CHECK(asked.size() == 2);
  CHECK(read_values(f.engine, "t") == Values{"yes"});
  CHECK(must(half.list()).size() == 1);
}

TEST_CASE("a message is asked about once it is old enough, and again when no answer was known") {
  Fixture f;
  HalfMessages half = f.half({.check_after = milliseconds(1'000), .check_every = milliseconds(100)},
                             answering(HalfVerdict::unknown));
  must(half.prepare({.topic = "t", .value = "v"}));
  for (const std::int64_t wait_ms : {1'000, 100, 100}) {
    f.clock.advance_ms(wait_ms - 1);
    CHECK(must(half.check()).checked == 0);
    f.clock.advance_ms(1);
    CHECK(must(half.check()).checked == 1);
  }
}

TEST_CASE("what is young is not asked about, except when it is of an earlier run") {
  Fixture f;
  const HalfMessagesOptions patient{.check_after = std::chrono::hours(1)};
  HalfMessages half = f.half(patient, answering(HalfVerdict::commit));
  must(half.prepare({.topic = "t", .value = "v"}));
  CHECK(must(half.check()).checked == 0);
  f.clock.advance_ms(1);
  HalfMessages next = f.half(patient, answering(HalfVerdict::commit));
  CHECK(must(next.check()).committed == 1);
  CHECK(read_values(f.engine, "t") == Values{"v"});
  // The one before it is fenced.
  CHECK(code_of(half.prepare({.topic = "t", .value = "v"})) == Errc::producer_fenced);
}

TEST_CASE("after the last check a message is parked, or rolled back") {
  const Fixture f;
  for (const auto give_up : {HalfMessagesOptions::GiveUp::park, HalfMessagesOptions::GiveUp::roll_back}) {
    HalfMessages half = f.half(
        {.check_after = milliseconds(0), .check_every = milliseconds(0), .max_checks = 3, .give_up = give_up},
        answering(HalfVerdict::unknown));
    const std::string id = must(half.prepare({.topic = "t", .value = "v"})).id();
    must(half.check());
    must(half.check());
    REQUIRE(must(half.list()).size() == 1);
    CHECK(must(half.list())[0].checks == 2);
    const HalfCheckSummary last = must(half.check());
    if (give_up == HalfMessagesOptions::GiveUp::park) {
      CHECK(last.parked == 1);
      CHECK(must(half.list())[0].is_parked);
      CHECK(must(half.check()).checked == 0);
      CHECK(must(half.commit(id)) == HalfDecision::committed);
    } else {
      CHECK(last.rolled_back == 1);
      CHECK(must(half.commit(id)) == HalfDecision::rolled_back);
    }
    CHECK(must(half.list()).empty());
  }
  CHECK(read_values(f.engine, "t") == Values{"v"});
}

TEST_CASE("decisions are forgotten when they are old") {
  Fixture f;
  HalfMessages half = f.half({.decision_retention = milliseconds(500)});
  const std::string id = must(half.prepare({.topic = "t", .value = "v"})).id();
  must(half.commit(id));
  f.clock.advance_ms(500);
  CHECK(must(half.check()).forgotten_decisions == 0);
  CHECK(must(half.rollback(id)) == HalfDecision::committed);
  f.clock.advance_ms(1);
  CHECK(must(half.check()).forgotten_decisions == 1);
  CHECK(code_of(half.rollback(id)) == Errc::not_found);
  CHECK(must(f.engine.admin().list_states()).empty());
}

TEST_CASE("the background checks by itself, and ends with its owner") {
  Fixture f;
  std::atomic<int> checks{0};
  {
    HalfMessages half = must(HalfMessages::open(f.engine, {.name = "shop", .check_after = milliseconds(0)},
                                                [&](const HalfMessage&) {
                                                  ++checks;
                                                  return HalfVerdict::commit;
                                                }));
    must(half.prepare({.topic = "t", .value = "v"}));
    CHECK(comes_true([&] {
      f.clock.advance_ms(1);
      return read_values(f.engine, "t") == Values{"v"};
    }));
  }
  CHECK(checks == 1);
}

TEST_CASE("INV-10: what is undecided is listed beside the writer too, by name") {
  const Fixture f;
  HalfMessages half = f.half();
  must(half.prepare({.topic = "t", .value = "v"}));
  must(::seriatim::detail::EngineImpl::of(f.engine)->checkpointer->checkpoint());
  const Engine reader = open_engine(copy_of(f.engine, f.copies), {.mode = OpenMode::read_only});
  CHECK(must(list_half_message_names(reader)) == Values{"shop"});
  REQUIRE(must(list_half_messages(reader, "shop")).size() == 1);
  CHECK(must(list_half_messages(reader, "other")).empty());
  CHECK(code_of(HalfMessages::open(reader, {.name = "shop"})) == Errc::read_only);
}

TEST_CASE("a verdict that is none decides nothing") {
  const Fixture f;
  HalfMessages half = f.half({.check_after = milliseconds(0), .check_every = milliseconds(0)},
                             answering(static_cast<HalfVerdict>(99)));
  { must(half.prepare({.topic = "t", .value = "v"})); }
  const HalfCheckSummary summary = must(half.check());
  CHECK(summary.checked == 1);
  CHECK(summary.committed + summary.rolled_back == 0);
}

TEST_CASE("options out of range are refused") {
  const Fixture f;
  CHECK(code_of(HalfMessages::open(f.engine, {})) == Errc::invalid_argument);
  CHECK(code_of(HalfMessages::open(f.engine, {.name = std::string(81, 'x')})) == Errc::invalid_argument);
  CHECK(code_of(HalfMessages::open(f.engine, {.name = "n", .max_checks = 0})) == Errc::invalid_argument);
  const auto none = static_cast<HalfMessagesOptions::GiveUp>(99);
  const auto refused = HalfMessages::open(f.engine, {.name = "n", .give_up = none});
  CHECK(code_of(refused) == Errc::invalid_argument);
  CHECK(message_of(refused).find("HalfMessagesOptions::give_up is 99; it must be park (0)") !=
        std::string::npos);
}

TEST_CASE("times from 0 to the largest are taken, and negative ones refused by name") {
  for (const auto& [name, time] :
       {std::pair{"check_after", &HalfMessagesOptions::check_after},
        std::pair{"check_every", &HalfMessagesOptions::check_every},
        std::pair{"decision_retention", &HalfMessagesOptions::decision_retention}}) {
    const Fixture f;
    for (const std::int64_t value :
         {std::int64_t{-1}, std::int64_t{0}, std::numeric_limits<std::int64_t>::max()}) {
      CAPTURE(name);
      CAPTURE(value);
      HalfMessagesOptions options{.name = "n", .checks_in_background = false};
      options.*time = milliseconds(value);
      auto opened = HalfMessages::open(f.engine, options, answering(HalfVerdict::unknown));
      REQUIRE(opened.ok() == (value >= 0));
      if (!opened) {
        CHECK(message_of(opened).find(std::string(name) + " is -1 ms") != std::string::npos);
        continue;
      }
      const PreparedHalf prepared = must(opened->prepare({.topic = "t", .value = "v"}));
      CHECK(must(opened->check()).forgotten_decisions == 0);
      CHECK(must(opened->list()).size() == 1);
      CHECK(must(opened->rollback(prepared.id())) == HalfDecision::rolled_back);
    }
  }
}

TEST_CASE("HalfMessages and a PreparedHalf that were moved from answer closed, or nothing") {
  const Fixture f;
  HalfMessages half = f.half();
  HalfMessages taken = std::move(half);
  PreparedHalf prepared = must(taken.prepare({.topic = "t", .value = "v"}));
  const std::string id = prepared.id();
  const PreparedHalf held = std::move(prepared);
  // NOLINTBEGIN(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  CHECK(code_of(half.prepare({.topic = "t", .value = "v"})) == Errc::closed);
  CHECK(code_of(half.commit(id)) == Errc::closed);
  CHECK(code_of(half.rollback(id)) == Errc::closed);
  CHECK(code_of(half.check()) == Errc::closed);
  CHECK(code_of(half.list()) == Errc::closed);
  CHECK(prepared.id().empty());
  Engine engine = f.engine;
  const Engine other = std::move(engine);
  CHECK(code_of(HalfMessages::open(engine, {.name = "n"})) == Errc::closed);
  CHECK(code_of(list_half_messages(engine, "n")) == Errc::closed);
  CHECK(code_of(list_half_message_names(engine)) == Errc::closed);
  // NOLINTEND(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  CHECK(must(taken.commit(held.id())) == HalfDecision::committed);
}

TEST_CASE("a state that is no half message is reported with its place") {
  const Fixture f;
  {
    TransactionalProducer producer = transactional(f.engine);
    Transaction transaction = must(producer.begin());
    must(transaction.state("half:shop").put(std::string(32, 'a'), "no half message"));
    must(transaction.commit());
  }
  HalfMessages half = f.half({.check_after = milliseconds(0)}, answering(HalfVerdict::commit));
  CHECK(code_of(half.list()) == Errc::corrupt_metadata);
  CHECK(code_of(half.commit(std::string(32, 'a'))) == Errc::corrupt_metadata);
  CHECK(code_of(half.check()) == Errc::corrupt_metadata);
}

}  // namespace seriatim::test
