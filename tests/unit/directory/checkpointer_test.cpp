// The frames that a checkpoint lets go of in the journal, and those that it must keep.
#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

const EngineOptions small_files{.journal_file_bytes = 64U << 10};

}  // namespace

TEST_CASE("after a checkpoint the journal's files are used again and a crash replays nothing of before") {
  const TempDir dir;
  const TempDir copies;
  const Engine engine = open_engine(dir / "data", small_files);
  create_topic(engine, "t");
  Producer producer = must(engine.producer());
  const std::string value(1000, 'v');
  for (int i = 0; i < 200; ++i) must(producer.send_sync({.topic = "t", .value = value}));
  const auto& impl = detail::EngineImpl::of(engine);
  CHECK(impl->journal->stats().files > 2);
  must(impl->checkpointer->checkpoint());
  CHECK(impl->journal->stats().files <= 1);
  must(producer.send_sync({.topic = "t", .value = "last"}));
  const Engine after = open_engine(copy_of(engine, copies), small_files);
  CHECK(read_values(after, "t").size() == 201);
  CHECK(read_values(after, "t").back() == "last");
}

TEST_CASE("what a checkpoint has covered stays covered, whatever is on its way into the journal since") {
  const TempDir dir;
  const TempDir copies;
  const TempDir copies_of_it;
  const Engine engine = open_engine(dir / "data", small_files);
  create_topic(engine, "t");
  Producer producer = must(engine.producer());
  const std::string value(1000, 'v');
  const auto append_many = [&](Producer& to) {
    for (int i = 0; i < 200; ++i) must(to.send_sync({.topic = "t", .value = value}));
  };
  append_many(producer);
  auto& impl = *detail::EngineImpl::of(engine);
  must(impl.checkpointer->checkpoint());
  append_many(producer);
  // It looked for the next LSN before the checkpoint, and lost its processor then.
  const auto holder = must(impl.coordinator->open("late", std::chrono::minutes(1)));
  holder->unsettled_lsn = 1;
  must(impl.checkpointer->checkpoint());
  const std::string left = copy_of(engine, copies);
  {
    const Engine after = open_engine(left, small_files);
    CHECK(read_values(after, "t").size() == 400);
    // Neither by the engine that opened it since.
    must(detail::EngineImpl::of(after)->coordinator->open("late", std::chrono::minutes(1)))->unsettled_lsn =
        1;
    must(detail::EngineImpl::of(after)->checkpointer->checkpoint());
    const Engine again = open_engine(copy_of(after, copies_of_it), small_files);
    CHECK(read_values(again, "t").size() == 400);
  }
  holder->unsettled_lsn = transaction::Holder::all_settled;
}

}  // namespace seriatim::test
