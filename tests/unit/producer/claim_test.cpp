#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "unit/api/engine_fixture.hpp"

namespace seriatim {
namespace {

using test::code_of;
using test::create_topic;
using test::must;
using test::open_engine;
using test::OpenedEngine;
using test::read_all;
using test::read_values;
using test::TempDir;

void fill(Claim& claim, std::string_view text) {
  REQUIRE(claim.value().size() == text.size());
  std::memcpy(claim.value().data(), text.data(), text.size());
}

TEST_CASE("a claimed record is written in place and read like any other, in both write modes") {
  for (const WriteMode mode : {WriteMode::mapped, WriteMode::written}) {
    const TempDir directory;
    {
      const Engine engine = open_engine(directory / "data", {.write_mode = mode});
      create_topic(engine, "t");
      Producer producer = must(engine.producer());
      must(producer.send_sync({.topic = "t", .value = "before"}));
      Claim claim = must(producer.try_claim({"t", 0}, 5, "key"));
      fill(claim, "hello");
      const RecordMetadata stored = must(claim.commit());
      CHECK(stored.offset == 1);
      CHECK(stored.partition == 0);
      CHECK(must(engine.admin().describe_topic("t")).partitions[0].durable_offset == 2);
      Claim empty = must(producer.try_claim({"t", 0}, 0));
      CHECK(must(empty.commit()).offset == 2);
    }
    const auto records = read_all(open_engine(directory / "data"), "t");
    REQUIRE(records.size() == 3);
    CHECK(records[1].key == "key");
    CHECK(records[1].value == "hello");
    CHECK(records[2].key == std::nullopt);
    CHECK(records[2].value == "");
  }
}

TEST_CASE("flush.messages holds for claims as for other records") {
  const OpenedEngine opened(1, {{"flush.messages", "2"}});
  Producer producer = must(opened.engine.producer({.acks = Acks::leader}));
  const auto claim_one = [&] {
    Claim claim = must(producer.try_claim({"t", 0}, 5));
    fill(claim, "hello");
    must(claim.commit());
    return must(opened.engine.admin().describe_topic("t")).partitions[0].durable_offset;
  };
  CHECK(claim_one() == 0);
  CHECK(claim_one() == 2);
}

TEST_CASE(
    "who holds a claim can look at the metrics, and is told that flushing and closing would wait for it") {
  const OpenedEngine opened;
  Producer producer = must(opened.engine.producer());
  Claim claim = must(producer.try_claim({"t", 0}, 5));
  fill(claim, "hello");
  CHECK(opened.engine.metrics().topics == 1);
  const Result<> flushed = opened.engine.flush();
  CHECK(code_of(flushed) == Errc::invalid_state);
  CHECK(test::message_of(flushed).find("claim on t-0; commit or abort it before flushing") !=
        std::string::npos);
  Engine engine = opened.engine;
  const Result<> closed = engine.close();
  CHECK(code_of(closed) == Errc::invalid_state);
  CHECK(must(claim.commit()).offset == 0);  // Nothing was closed.
  must(opened.engine.flush());
  must(engine.close());
}

TEST_CASE("a claim that is aborted or destroyed leaves nothing, and the offset goes to the next record") {
  const OpenedEngine opened;
  Producer producer = must(opened.engine.producer({.acks = Acks::leader}));
  {
    Claim aborted = must(producer.try_claim({"t", 0}, 3));
    fill(aborted, "bad");
    aborted.abort();
    aborted.abort();
    CHECK(aborted.value().empty());
    CHECK(code_of(aborted.commit()) == Errc::invalid_state);
  }
  {
    Claim destroyed = must(producer.try_claim({"t", 0}, 3));
    fill(destroyed, "bad");
  }
  CHECK(must(producer.send_sync({.topic = "t", .value = "good"})).offset == 0);
  must(opened.engine.close());
  CHECK(read_values(open_engine(opened.path()), "t") == std::vector<std::string>{"good"});
}

TEST_CASE("a claim is for one commit, and moves") {
  const OpenedEngine opened(2);
  Producer producer = must(opened.engine.producer({.acks = Acks::leader}));
  Claim first = must(producer.try_claim({"t", 0}, 1));
  fill(first, "a");
  Claim moved = std::move(first);
  CHECK(code_of(first.commit()) == Errc::closed);
  CHECK(first.value().empty());
  first.abort();
  must(moved.commit());
  CHECK(code_of(moved.commit()) == Errc::invalid_state);
  Claim replaced = must(producer.try_claim({"t", 0}, 1));
  replaced = must(producer.try_claim({"t", 1}, 1));
  fill(replaced, "b");
  must(replaced.commit());
  CHECK(must(producer.send_sync({.topic = "t", .value = "c", .partition = 0})).offset == 1);
  CHECK(read_values(opened.engine, "t", 1) == std::vector<std::string>{"b"});
}

TEST_CASE("while a claim lives, its thread is refused the partition and others wait for it") {
  const OpenedEngine opened(2);
  Producer producer = must(opened.engine.producer({.acks = Acks::leader}));
  Claim claim = must(producer.try_claim({"t", 0}, 5));
  CHECK(code_of(producer.try_claim({"t", 0}, 5)) == Errc::invalid_state);
  CHECK(code_of(producer.send_sync({.topic = "t", .value = "x", .partition = 0})) == Errc::invalid_state);
  CHECK(must(producer.send_sync({.topic = "t", .value = "x", .partition = 1})).offset == 0);
  std::atomic<Offset> other{-1};
  std::thread waiting(
      [&] { other = must(producer.send_sync({.topic = "t", .value = "after", .partition = 0})).offset; });
  fill(claim, "first");
  CHECK(other == -1);
  CHECK(must(claim.commit()).offset == 0);
  waiting.join();
  CHECK(other == 1);
  CHECK(read_values(opened.engine, "t", 0) == std::vector<std::string>{"first", "after"});
}

TEST_CASE("a claim that cannot be had is refused and holds nothing") {
  const OpenedEngine opened(1, {{"max.message.bytes", "1000"}});
  create_topic(opened.engine, "table", 1, {{"cleanup.policy", "compact"}});
  Producer producer = must(opened.engine.producer({.acks = Acks::none}));
  CHECK(code_of(producer.try_claim({"t", 0}, 1000)) == Errc::record_too_large);
  CHECK(code_of(producer.try_claim({"t", 0}, std::size_t{1} << 40)) == Errc::record_too_large);
  CHECK(code_of(producer.try_claim({"t", 1}, 1)) == Errc::unknown_topic_or_partition);
  CHECK(code_of(producer.try_claim({"no", 0}, 1)) == Errc::unknown_topic_or_partition);
  CHECK(code_of(producer.try_claim({"table", 0}, 1)) == Errc::invalid_record);
  CHECK(opened.engine.metrics().refused_appends == 5);
  Claim claim = must(producer.try_claim({"table", 0}, 1, "k"));
  fill(claim, "v");
  CHECK(must(claim.commit()).offset == -1);
}

TEST_CASE("a claim rolls the segment when it does not fit any more") {
  const OpenedEngine opened(1, {{"segment.bytes", "4096"}});
  Producer producer = must(opened.engine.producer({.acks = Acks::leader}));
  const std::string value(1500, 'x');
  for (int i = 0; i < 7; ++i) {
    Claim claim = must(producer.try_claim({"t", 0}, value.size()));
    fill(claim, value);
    CHECK(must(claim.commit()).offset == i);
  }
  CHECK(must(opened.engine.admin().describe_topic("t")).partitions[0].segment_count > 2);
  CHECK(read_values(opened.engine, "t") == std::vector<std::string>(7, value));
}

TEST_CASE("a claim keeps the engine alive") {
  const TempDir directory;
  {
    std::optional<Claim> claim;
    {
      const Engine engine = open_engine(directory / "data");
      create_topic(engine, "t");
      Producer producer = must(engine.producer({.acks = Acks::leader}));
      claim = must(producer.try_claim({"t", 0}, 1));
    }
    fill(*claim, "x");
    must(claim->commit());
  }
  CHECK(read_values(open_engine(directory / "data"), "t") == std::vector<std::string>{"x"});
}

}  // namespace
}  // namespace seriatim
