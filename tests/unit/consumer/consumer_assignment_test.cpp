#include <poll.h>

#include "support/allocation_counter.hpp"
#include "unit/api/reading_fixture.hpp"

namespace seriatim::test {
namespace {

bool is_readable(int descriptor) {
  pollfd asked{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&asked, 1, 0) == 1 && (asked.revents & POLLIN) != 0;
}

TEST_CASE("a group id that could not be stored is refused with its range") {
  OpenedEngine opened;
  for (const std::string& group : {std::string(256, 'g'), std::string("a\0b", 3)}) {
    auto made = opened.engine.consumer({.group_id = group});
    REQUIRE_FALSE(made);
    CHECK(made.error().code() == Errc::invalid_argument);
    CHECK(says(made.error().message(), {"ConsumerOptions::group_id", std::to_string(group.size()), "255"}));
  }
  CHECK(opened.engine.consumer({.group_id = std::string(255, 'g')}));
}

TEST_CASE("an assignment with one unknown partition is refused as a whole") {
  OpenedEngine opened(2);
  auto consumer = must(opened.engine.consumer());
  must(consumer.assign({t0}));
  CHECK(code_of(consumer.assign({t1, {"t", 2}})) == Errc::unknown_topic_or_partition);
  CHECK(code_of(consumer.assign({t1, {"u", 0}})) == Errc::unknown_topic_or_partition);
  CHECK(code_of(consumer.assign_topic("u")) == Errc::unknown_topic_or_partition);
  CHECK(consumer.assignment() == std::vector<TopicPartition>{t0});
}

/// The memory that a read-only engine takes, some of it again and again, to assign so many partitions.
std::uint64_t bytes_to_assign(PartitionId partitions) {
  const TempDir dir;
  {
    Engine engine = open_engine(dir / "data");
    create_topic(engine, "t", partitions);
    must(engine.close());
  }
  const Engine engine = open_engine(dir / "data", {.mode = OpenMode::read_only});
  Consumer consumer = must(engine.consumer());
  const std::uint64_t before = allocated_bytes();
  must(consumer.assign_topic("t"));
  CHECK(consumer.assignment().size() == static_cast<std::size_t>(partitions));
  return allocated_bytes() - before;
}

TEST_CASE("a read-only engine assigns partitions with work in proportion to their number") {
  const std::uint64_t few = bytes_to_assign(50);
  const std::uint64_t many = bytes_to_assign(800);
  CAPTURE(few);
  CAPTURE(many);
  CHECK(many / 800 < 2 * (few / 50));
}

TEST_CASE(
    "a whole topic is assigned by its name; a partition named twice is assigned once; nothing can be "
    "assigned too") {
  OpenedEngine opened(3);
  auto consumer = must(opened.engine.consumer());
  must(consumer.assign_topic("t"));
  CHECK(consumer.assignment() == std::vector<TopicPartition>{{"t", 0}, {"t", 1}, {"t", 2}});
  must(consumer.assign({t1, t1}));
  CHECK(consumer.assignment() == std::vector<TopicPartition>{t1});
  must(consumer.assign({}));
  CHECK(consumer.assignment().empty());
  CHECK(code_of(consumer.poll(no_wait)) == Errc::invalid_state);
}

TEST_CASE("partitions that stay assigned keep their position and their pause, others begin anew") {
  OpenedEngine opened(2);
  for (const auto& at : {t0, t1}) append_batch(opened.engine, at, {.records = 4});
  auto consumer = must(opened.engine.consumer({.max_poll_records = 3}));
  must(consumer.assign({t0}));
  CHECK(must(consumer.poll(no_wait)).count() == 3);
  must(consumer.pause(std::vector{t0}));
  must(consumer.assign({t1, t0}));
  CHECK(must(consumer.position(t0)) == 3);
  CHECK(must(consumer.position(t1)) == 0);
  CHECK(consumer.paused() == std::vector{t0});
  must(consumer.assign({t1}));
  must(consumer.assign({t0}));
  CHECK(must(consumer.position(t0)) == 0);
  CHECK(consumer.paused().empty());
}

TEST_CASE("a paused partition returns nothing and loses nothing, in the middle of a batch too") {
  OpenedEngine opened(2);
  for (const auto& at : {t0, t1}) append_batch(opened.engine, at, {.records = 4});
  auto consumer = must(opened.engine.consumer({.max_poll_records = 2}));
  must(consumer.assign({t0, t1}));
  CHECK(must(consumer.poll(no_wait)).partitions() == std::vector{t0});
  must(consumer.pause(std::vector{t0}));
  CHECK(drain(consumer).size() == 4);
  must(consumer.resume(std::vector{t0}));
  const auto rest = drain(consumer);
  REQUIRE(rest.size() == 2);
  CHECK(rest[0].offset == 2);
  CHECK(code_of(consumer.pause(std::vector<TopicPartition>{{"t", 7}})) == Errc::invalid_state);
  CHECK(code_of(consumer.resume(std::vector<TopicPartition>{{"t", 7}})) == Errc::invalid_state);
}

TEST_CASE(
    "the event descriptor becomes readable with an append, and is not after a poll that took everything") {
  OpenedEngine opened(2);
  auto consumer = must(opened.engine.consumer({.max_poll_records = 1}));
  must(consumer.assign({t0}));
  const int descriptor = consumer.event_fd();
  REQUIRE(descriptor >= 0);
  CHECK(consumer.event_fd() == descriptor);
  CHECK(must(consumer.poll(no_wait)).empty());
  CHECK_FALSE(is_readable(descriptor));
  append_batch(opened.engine, t1);
  CHECK_FALSE(is_readable(descriptor));
  append_batch(opened.engine, t0, {.records = 2});
  CHECK(is_readable(descriptor));
  CHECK(must(consumer.poll(no_wait)).count() == 1);
  CHECK(is_readable(descriptor));  // one record is left: whoever sleeps on it must not miss it
  CHECK(must(consumer.poll(no_wait)).count() == 1);
  CHECK_FALSE(is_readable(descriptor));
  append_batch(opened.engine, t0);
  CHECK(is_readable(descriptor));
}

TEST_CASE("the event descriptor follows the assignment, what is there already, and wakeup") {
  OpenedEngine opened(2);
  append_batch(opened.engine, t1);
  auto consumer = must(opened.engine.consumer());
  must(consumer.assign({t0}));
  const int descriptor = consumer.event_fd();
  CHECK(must(consumer.poll(no_wait)).empty());
  CHECK_FALSE(is_readable(descriptor));
  must(consumer.assign({t1}));
  CHECK(is_readable(descriptor));
  CHECK(must(consumer.poll(no_wait)).count() == 1);
  append_batch(opened.engine, t0);
  CHECK_FALSE(is_readable(descriptor));
  append_batch(opened.engine, t1);
  CHECK(is_readable(descriptor));
  CHECK(must(consumer.poll(no_wait)).count() == 1);
  consumer.wakeup();
  CHECK(is_readable(descriptor));
  CHECK(code_of(consumer.poll(no_wait)) == Errc::wakeup);
  CHECK_FALSE(is_readable(descriptor));
  must(consumer.seek(t1, 0));
  CHECK(is_readable(descriptor));
}

TEST_CASE("a waiting poll does not end the listening of the event descriptor") {
  OpenedEngine opened;
  auto consumer = must(opened.engine.consumer());
  must(consumer.assign({t0}));
  const int descriptor = consumer.event_fd();
  CHECK(must(consumer.poll(std::chrono::milliseconds(1))).empty());
  append_batch(opened.engine, t0);
  CHECK(is_readable(descriptor));
}

TEST_CASE("a read-only engine has no event descriptor") {
  TempDir temp;
  create_topic(open_engine(temp / "data"), "t");
  const auto reading = open_engine(temp / "data", {.mode = OpenMode::read_only});
  auto consumer = must(reading.consumer());
  must(consumer.assign({t0}));
  CHECK(consumer.event_fd() == -1);
}

}  // namespace
}  // namespace seriatim::test
