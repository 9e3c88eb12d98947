#include <seriatim/consumer.hpp>

#include <atomic>
#include <thread>

#include "support/child_process.hpp"
#include "unit/api/reading_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("a second thread is refused while one is inside, in every function, and nothing is damaged") {
  OpenedEngine opened;
  append_batch(opened.engine, t0);
  auto consumer = must(opened.engine.consumer({.group_id = "g"}));
  must(consumer.assign({t0}));
  must(consumer.seek_to_end());
  std::atomic<bool> is_over{false};
  std::thread inside([&] {
    const auto polled = poll_when_free(consumer, long_wait);
    CHECK(code_of(polled) == Errc::wakeup);
    is_over = true;
  });
  // Until the other is in its poll; pause is harmless if it comes first.
  const auto t0_only = std::vector<TopicPartition>{t0};
  REQUIRE(comes_true([&] { return code_of(consumer.resume(t0_only)) == Errc::invalid_state; }));
  CHECK(code_of(consumer.poll(no_wait)) == Errc::invalid_state);
  CHECK(code_of(consumer.assign({t0})) == Errc::invalid_state);
  CHECK(code_of(consumer.assign_topic("t")) == Errc::invalid_state);
  CHECK(consumer.assignment().empty());
  CHECK(consumer.paused().empty());
  CHECK(code_of(consumer.position(t0)) == Errc::invalid_state);
  CHECK(code_of(consumer.seek(t0, 0)) == Errc::invalid_state);
  CHECK(code_of(consumer.seek_to_beginning()) == Errc::invalid_state);
  CHECK(code_of(consumer.seek_to_end()) == Errc::invalid_state);
  CHECK(code_of(consumer.seek_to_time(Timestamp{})) == Errc::invalid_state);
  CHECK(code_of(consumer.offsets_for_times({})) == Errc::invalid_state);
  CHECK(code_of(consumer.beginning_offset(t0)) == Errc::invalid_state);
  CHECK(code_of(consumer.end_offset(t0)) == Errc::invalid_state);
  CHECK(code_of(consumer.lag(t0)) == Errc::invalid_state);
  CHECK(code_of(consumer.pause(t0_only)) == Errc::invalid_state);
  CHECK(code_of(consumer.commit_sync()) == Errc::invalid_state);
  CHECK(code_of(consumer.commit_sync(TopicPartitionOffsets{})) == Errc::invalid_state);
  CHECK(code_of(consumer.committed(t0)) == Errc::invalid_state);
  CHECK_FALSE(is_over);
  consumer.wakeup();
  inside.join();
  CHECK(consumer.assignment().size() == 1);
}

TEST_CASE("a closed consumer answers closed, and a second close does nothing") {
  OpenedEngine opened;
  auto consumer = must(opened.engine.consumer());
  must(consumer.assign({t0}));
  consumer.close();
  consumer.close();
  CHECK(code_of(consumer.poll(no_wait)) == Errc::closed);
  CHECK(code_of(consumer.assign({t0})) == Errc::closed);
  CHECK(consumer.assignment().empty());
  CHECK(consumer.event_fd() == -1);
  consumer.wakeup();
}

TEST_CASE("closing from another thread ends a poll that waits") {
  OpenedEngine opened;
  auto consumer = must(opened.engine.consumer());
  must(consumer.assign({t0}));
  std::thread closer([&] {
    REQUIRE(comes_true([&] { return code_of(consumer.seek_to_end()) == Errc::invalid_state; }));
    consumer.close();
  });
  CHECK(code_of(poll_when_free(consumer, long_wait)) == Errc::closed);
  closer.join();
}

TEST_CASE("closing the engine ends a poll that waits, and every later call") {
  OpenedEngine opened;
  auto consumer = must(opened.engine.consumer());
  must(consumer.assign({t0}));
  std::thread closer([&] {
    REQUIRE(comes_true([&] { return code_of(consumer.seek_to_end()) == Errc::invalid_state; }));
    must(opened.engine.close());
  });
  CHECK(code_of(poll_when_free(consumer, long_wait)) == Errc::closed);
  closer.join();
  CHECK(code_of(consumer.position(t0)) == Errc::closed);
  CHECK(code_of(opened.engine.consumer()) == Errc::closed);
}

TEST_CASE("a consumer that fork() copied refuses to work in the child and goes on in the parent") {
  OpenedEngine opened;
  append_batch(opened.engine, t0);
  auto consumer = must(opened.engine.consumer());
  must(consumer.assign({t0}));
  ChildProcess child([&](const ChildProcess::Voice& voice) {
    const auto polled = consumer.poll(no_wait);
    voice.say(polled ? "polled" : std::string(polled.error().name()));
  });
  CHECK(child.hear_all() == "INVALID_STATE");
  CHECK(must(consumer.poll(no_wait)).count() == 1);
}

TEST_CASE("a moved consumer goes on where it was") {
  OpenedEngine opened;
  append_batch(opened.engine, t0, {.records = 2});
  auto first = must(opened.engine.consumer({.max_poll_records = 1}));
  must(first.assign({t0}));
  CHECK(offsets_of(must(first.poll(no_wait))).front() == 0);
  Consumer second = std::move(first);
  CHECK(offsets_of(must(second.poll(no_wait))).front() == 1);
}

}  // namespace
}  // namespace seriatim::test
