#include <seriatim/flow/dead_letters.hpp>

#include <doctest/doctest.h>

#include "unit/flow/dead_letters/letters_fixture.hpp"

namespace seriatim::test {
namespace {

Timestamp at_ms(std::int64_t ms) { return Timestamp(std::chrono::milliseconds(ms)); }

TEST_CASE("a letter says what its headers say; one of a share group has fewer") {
  const LettersFixture f;
  f.bury("v", "no answer", "k");
  Producer producer = must(f.engine.producer());
  const std::vector<HeaderView> share{
      {"__dlq.errors.topic", "in"},         {"__dlq.errors.partition", "0"},
      {"__dlq.errors.offset", "5"},         {"__dlq.errors.group", "s"},
      {"__dlq.errors.delivery.count", "2"}, {"__dlq.errors.message", "Offset rejected by client."}};
  must(producer.send_sync({.topic = "in.DLQ", .value = "w", .timestamp = at_ms(9), .headers = share}));
  must(producer.send_sync({.topic = "in.DLQ", .value = "none of ours"}));
  const DeadLetterPage page = must(list_dead_letters(f.engine, "in.DLQ", {}, 10));
  REQUIRE(page.letters.size() == 3);
  CHECK(!page.next);
  const DeadLetter& own = page.letters[0];
  CHECK(own.offset == 0);
  CHECK(own.topic == "in");
  CHECK(own.record_partition == 0);
  CHECK(own.record_offset == 7);
  CHECK(own.group == "g");
  CHECK(own.attempts == 3);
  CHECK(own.error == "no answer");
  CHECK(own.error_name == "IO_ERROR");
  CHECK(own.time == at_ms(1'000));
  CHECK(own.key == "k");
  REQUIRE(own.headers.size() == 1);
  CHECK(own.headers[0].first == "own");
  const DeadLetter& of_share = page.letters[1];
  CHECK(of_share.record_offset == 5);
  CHECK(of_share.attempts == 2);
  CHECK(of_share.error == "Offset rejected by client.");
  CHECK(of_share.time == at_ms(9));
  CHECK(!of_share.first_failure);
  CHECK(page.letters[2].topic.empty());
  CHECK(!page.letters[2].record_offset);
}

TEST_CASE("a list goes on where the page before ended, through all partitions, and filters") {
  const LettersFixture f(2);
  for (int i = 0; i < 6; ++i) {
    f.bury(std::to_string(i), i % 2 == 0 ? "even failure" : "odd failure", "k" + std::to_string(i % 3), i % 2,
           at_ms(1'000 + i));
  }
  LetterValues all;
  std::optional<DeadLetterPosition> at = DeadLetterPosition{};
  for (int pages = 0; at && pages < 100; ++pages) {
    const DeadLetterPage page = must(list_dead_letters(f.engine, "in.DLQ", *at, 2));
    CHECK(page.letters.size() <= 2);
    for (const DeadLetter& letter : page.letters) all.push_back(*letter.value);
    at = page.next;
  }
  CHECK(all == LetterValues{"0", "2", "4", "1", "3", "5"});
  CHECK(f.values_with({.error_contains = "odd"}) == LetterValues{"1", "3", "5"});
  CHECK(f.values_with({.key = "k1"}) == LetterValues{"4", "1"});
  CHECK(f.values_with({.from = at_ms(1'001), .until = at_ms(1'004)}) == LetterValues{"2", "1", "3"});
  CHECK(f.values_with({.partition = 1, .offsets = std::pair<Offset, Offset>{1, 1}}) == LetterValues{"3"});
  CHECK(code_of(list_dead_letters(f.engine, "none", {}, 2)) == Errc::unknown_topic_or_partition);
  CHECK(code_of(list_dead_letters(f.engine, "in.DLQ", {}, 0)) == Errc::invalid_argument);
  CHECK(code_of(list_dead_letters(f.engine, "in.DLQ", {.partition = -1}, 1)) == Errc::invalid_argument);
}

TEST_CASE("a replay puts records back where they were, once, however often it is asked for") {
  const LettersFixture f(2);
  for (int i = 0; i < 5; ++i) f.bury(std::to_string(i), "e", "k", i % 2);
  {
    DeadLetterReplay replay = f.replay();
    CHECK(must(replay.step(2)).replayed == 2);
  }
  DeadLetterReplay replay = f.replay();
  const DeadLetterReplayStep step = must(replay.step(1'000));
  CHECK(step.replayed == 3);
  CHECK(step.replayed_before == 2);
  CHECK(step.is_through);
  CHECK(must(replay.step(10)).replayed == 0);
  CHECK(must(f.replay().step(1'000)).replayed_before == 5);
  CHECK(committed_values(f.engine, "in", 0) == LetterValues{"0", "2", "4"});
  CHECK(committed_values(f.engine, "in", 1) == LetterValues{"1", "3"});
  const auto records = read_all(f.engine, "in");
  REQUIRE(records[0].headers.size() == 1);
  CHECK(records[0].headers[0].first == "own");
  CHECK(records[0].key == "k");
  CHECK(f.values_with({.is_replayed = false}).empty());
  CHECK(f.values_with({.is_replayed = true}).size() == 5);
}

TEST_CASE("a replay of some leaves the others for the next, and can go to another topic") {
  const LettersFixture f;
  create_topic(f.engine, "other");
  f.bury("a", "good");
  f.bury("b", "bad");
  CHECK(must(f.replay({.error_contains = "good"}, "other").step(10)).replayed == 1);
  CHECK(must(f.replay().step(10)).replayed == 1);
  CHECK(committed_values(f.engine, "other") == LetterValues{"a"});
  CHECK(committed_values(f.engine, "in") == LetterValues{"b"});
}

TEST_CASE("letters without a record, or without an address, are left out, and counted") {
  const LettersFixture f;
  create_topic(f.engine, "other");
  Producer producer = must(f.engine.producer());
  must(producer.send_sync({.topic = "in.DLQ", .value = "no address"}));
  const std::vector<HeaderView> headers{{"__dlq.errors.topic", "in"}};
  must(producer.send_sync({.topic = "in.DLQ", .headers = headers}));
  CHECK(must(f.replay().step(10)).left_out == 2);
  const DeadLetterReplayStep step = must(f.replay({}, "other").step(10));
  CHECK(step.replayed == 1);
  CHECK(step.left_out == 1);
  CHECK(committed_values(f.engine, "other") == LetterValues{"no address"});
}

TEST_CASE("a replay into a topic that is no more says so, and replays nothing of the step") {
  const LettersFixture f;
  f.bury("a", "e");
  must(f.engine.admin().delete_topic("in"));
  DeadLetterReplay replay = f.replay();
  const auto step = replay.step(10);
  CHECK(code_of(step) == Errc::unknown_topic_or_partition);
  CHECK(message_of(step).find("in.DLQ-0 offset 0") != std::string::npos);
  create_topic(f.engine, "in");
  CHECK(must(replay.step(10)).replayed == 1);
  CHECK(code_of(DeadLetterReplay::open(f.engine, {.topic = "in.DLQ", .to = "none"})) ==
        Errc::unknown_topic_or_partition);
  CHECK(code_of(replay.step(1'001)) == Errc::invalid_argument);
}

TEST_CASE("the later one of two replays of a topic goes on, and neither repeats the other") {
  const LettersFixture f;
  for (int i = 0; i < 4; ++i) f.bury(std::to_string(i), "e");
  DeadLetterReplay first = f.replay();
  CHECK(must(first.step(1)).replayed == 1);
  DeadLetterReplay second = f.replay();
  CHECK(code_of(first.step(1)) == Errc::producer_fenced);
  CHECK(must(second.step(10)).replayed == 3);
  CHECK(committed_values(f.engine, "in") == LetterValues{"0", "1", "2", "3"});
}

TEST_CASE("a purge deletes letters before an offset, or all, and what was noted of them") {
  const LettersFixture f(2);
  for (int i = 0; i < 3; ++i) f.bury(std::to_string(i), "e");
  f.bury("other", "e", {}, 1);
  must(f.replay().step(10));
  CHECK(must(purge_dead_letters(f.engine, {"in.DLQ", 0}, 2)) == 2);
  CHECK(f.values_with({}) == LetterValues{"2", "other"});
  CHECK(must(must(f.engine.state("__dlq_replayed")).scan({}, 10)).size() == 2);
  CHECK(must(purge_dead_letters(f.engine, {"in.DLQ", 0})) == 1);
  CHECK(f.values_with({}) == LetterValues{"other"});
  CHECK(f.values_with({.is_replayed = true}) == LetterValues{"other"});
  CHECK(must(must(f.engine.state("__dlq_replayed")).scan({}, 10)).size() == 1);
  CHECK(code_of(purge_dead_letters(f.engine, {"in.DLQ", 9})) == Errc::unknown_topic_or_partition);
  CHECK(code_of(purge_dead_letters(f.engine, {"in.DLQ", 0}, 99)) == Errc::offset_out_of_range);
}

TEST_CASE("letters of a topic that was made again under a name were not replayed") {
  const LettersFixture f;
  f.bury("a", "e");
  must(f.replay().step(10));
  must(f.engine.admin().delete_topic("in.DLQ"));
  create_topic(f.engine, "in.DLQ");
  f.bury("b", "e");
  CHECK(must(f.replay().step(10)).replayed == 1);
  CHECK(committed_values(f.engine, "in") == LetterValues{"a", "b"});
}

}  // namespace
}  // namespace seriatim::test
