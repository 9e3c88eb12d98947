// Records, times and names at and beyond what is allowed.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <limits>

#include "bad_input/attempt.hpp"
#include "bad_input/obstacles.hpp"

namespace seriatim {
namespace {

using namespace test;

constexpr Offset day_ms = 86'400'000;
constexpr std::int64_t a_day_in_2026_ms = 1'795'000'000'000;

Timestamp at_ms(std::int64_t ms) { return Timestamp(std::chrono::milliseconds(ms)); }

TEST_CASE("a record too large is refused with both sizes, and the largest that fits is stored") {
  const TempDir directory;
  const Engine engine = open_engine(directory / "data");
  create_topic(engine, "t", 1, {{"max.message.bytes", "2000"}});
  Producer producer = must(engine.producer());
  const auto send = [&](std::size_t bytes) {
    return producer.send_sync({.topic = "t", .key = "k", .value = std::string(bytes, 'v')});
  };
  std::size_t largest = 1800;
  while (send(largest + 1).ok()) ++largest;
  const auto refused = send(largest + 1);
  CHECK(code_of(refused) == Errc::record_too_large);
  CHECK(refused.error().outcome() == Outcome::not_written);
  CHECK(says(message_of(refused), {"2001 bytes", "max.message.bytes (2000)", "topic t", "raise the limit"}));
  CHECK(code_of(send(100'000'000)) == Errc::record_too_large);
  const Offset end = must(engine.reader({"t", 0})).high_watermark();
  CHECK(must(send(largest)).offset == end);
  CHECK(read_values(engine, "t").back().size() == largest);
}

TEST_CASE("a clock that jumps back changes no offset and loses no record") {
  const TempDir directory;
  base::ManualClock clock(a_day_in_2026_ms);
  const std::string path = directory / "data";
  std::vector<std::string> values;
  {
    const Engine engine = open_engine_with(path, os::posix_vfs(), clock);
    for (const std::string name : {"created", "appended"}) {
      const std::string type = name == "created" ? "CreateTime" : "LogAppendTime";
      create_topic(engine, name, 1,
                   {{"message.timestamp.type", type},
                    {"segment.bytes", "1024"},
                    {"segment.ms", std::to_string(day_ms)},
                    {"retention.ms", std::to_string(30 * day_ms)},
                    {"flush.ms", "1000"}});
    }
    Producer producer = must(engine.producer());
    // On by a day, then back by ten years, again and again.
    for (int i = 0; i < 60; ++i) {
      clock.advance_ms(day_ms / 4);
      if (i % 10 == 5) clock.set_wall_ms(a_day_in_2026_ms - 3650 * day_ms);
      if (i % 10 == 8) clock.set_wall_ms(a_day_in_2026_ms);
      values.push_back("v" + std::to_string(i));
      for (const std::string topic : {"created", "appended"})
        CHECK(must(producer.send_sync({.topic = topic, .value = values.back()})).offset == i);
    }
    CHECK(read_values(engine, "created") == values);
    CHECK(read_values(engine, "appended") == values);
    // The first record at or after a time is found although times go back and forth.
    for (const std::string topic : {"created", "appended"}) {
      const auto found = must(engine.admin().offset_for_time({topic, 0}, at_ms(a_day_in_2026_ms)));
      REQUIRE(found.has_value());
      CHECK(found->offset == 0);
    }
    must(engine.close());
  }
  clock.set_wall_ms(0);
  const Engine engine = open_engine_with(path, os::posix_vfs(), clock);
  CHECK(read_values(engine, "created") == values);
  CHECK(read_values(engine, "appended") == values);
}

TEST_CASE("timestamps in the far future are stored as they are, found, and hold up nothing") {
  const TempDir directory;
  const Engine engine = open_engine(directory / "data");
  create_topic(engine, "t", 1, {{"segment.bytes", "1024"}, {"segment.ms", "1000"}, {"retention.ms", "1"}});
  Producer producer = must(engine.producer());
  constexpr std::int64_t far = std::numeric_limits<std::int64_t>::max();
  const std::int64_t times[] = {far, 0, far - 1, 253'402'300'799'000, far, 1};
  for (const std::int64_t time : times)
    must(producer.send_sync({.topic = "t", .value = "v", .timestamp = at_ms(time)}));
  std::vector<std::int64_t> stored;
  for (const OwnedRecord& record : read_all(engine, "t"))
    stored.push_back(record.timestamp.time_since_epoch().count());
  CHECK(stored == std::vector<std::int64_t>(std::begin(times), std::end(times)));
  must(engine.flush());
  must(engine.admin().apply_retention("t"));
  CHECK(must(producer.send_sync({.topic = "t", .value = "after"})).offset == 6);
  CHECK(code_of(producer.send_sync({.topic = "t", .value = "v", .timestamp = at_ms(-2)})) ==
        Errc::invalid_timestamp);
}

std::vector<std::string> tree(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(path)) names.push_back(entry.path().string());
  std::sort(names.begin(), names.end());
  return names;
}

TEST_CASE("no topic name leads out of the directory, for whatever call it is given to") {
  const TempDir directory;
  const std::string path = directory / "a/b/data";
  fs::create_directories(directory / "a/b");
  fs::create_directories(directory / "a/outside-0");
  const Engine engine = open_engine(path);
  create_topic(engine, "t");
  Producer producer = must(engine.producer());
  Consumer consumer = must(engine.consumer({.group_id = "g"}));
  const auto before = tree(directory.path());
  const std::string names[] = {"",       ".",         "..",     "../../outside",        "/etc/passwd",
                               "a/b",    "t-0/../x",  "..\\x",  std::string("t\0x", 3), std::string(250, 'x'),
                               "t\nlog", "t\xc3\xa9", "t name", "../../../a/outside"};
  for (const std::string& name : names) {
    CAPTURE(name);
    const auto created = engine.admin().create_topic({.name = name});
    CHECK(code_of(created) == Errc::invalid_topic);
    CHECK(says(message_of(created), {"249"}));
    CHECK_FALSE(engine.admin().delete_topic(name).ok());
    CHECK_FALSE(engine.admin().describe_topic(name).ok());
    CHECK_FALSE(engine.admin().create_partitions(name, 2).ok());
    CHECK_FALSE(engine.reader({name, 0}).ok());
    CHECK_FALSE(producer.send_sync({.topic = name, .value = "v"}).ok());
    CHECK_FALSE(consumer.assign_topic(name).ok());
  }
  CHECK(tree(directory.path()) == before);
}

TEST_CASE("new files and directories are for owner and group only, whatever the umask") {
  for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{0117}, mode_t{077}}) {
    CAPTURE(mask);
    const TempDir directory;
    const std::string path = directory / "data";
    ChildProcess child([&](const ChildProcess::Voice& voice) {
      ::umask(mask & 077);            // Not the owner's own bits: who sets those wants no access.
      make_data(path, Left::killed);  // Nothing was trimmed or removed: the most files.
      attempt_in_child(path, {}, [&](const std::string& line) { voice.say(line + "\n"); });
    });
    const std::string text = child.hear_all();
    CAPTURE(text);
    CHECK(text.find("append ok") != std::string::npos);
    int files = 0;
    for (const std::string& name : tree(directory.path())) {
      CAPTURE(name);
      struct stat status {};
      REQUIRE(::lstat(name.c_str(), &status) == 0);
      const mode_t allowed = S_ISDIR(status.st_mode) ? 0750 : 0640;
      CHECK((status.st_mode & 07777 & ~allowed) == 0);
      CHECK((status.st_mode & 07777) == (allowed & ~(mask & 077)));
      ++files;
    }
    CHECK(files > 12);
  }
}

}  // namespace
}  // namespace seriatim
