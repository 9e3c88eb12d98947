#include <doctest/doctest.h>

#include <filesystem>
#include <thread>

#include "support/child_process.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim {
namespace {

using detail::EngineImpl;
using test::ChildProcess;
using test::code_of;
using test::comes_true;
using test::create_topic;
using test::must;
using test::open_engine;
using test::OpenedEngine;
using test::TempDir;

TEST_CASE("a slot of a deleted topic does not open the topic that has taken its name") {
  const OpenedEngine opened;
  const auto& impl = EngineImpl::of(opened.engine);
  const directory::TopicPtr old_topic = must(impl->topic("t"));
  must(opened.engine.admin().delete_topic("t"));
  create_topic(opened.engine, "t");
  CHECK(code_of(old_topic->partitions[0]->log()) == Errc::unknown_topic_or_partition);
  CHECK(must(impl->topic("t"))->partitions[0]->log().ok());
}

TEST_CASE("a read-only engine follows what the writer does to topics") {
  const TempDir directory;
  const std::string path = directory / "data";
  const std::string looked = directory / "looked";
  must(open_engine(path).close());
  // The reader first: nothing of the parent's engine may be open in a child.
  ChildProcess writer([&](const ChildProcess::Voice& voice) {
    const Engine engine = open_engine(path);
    create_topic(engine, "t");
    voice.say("1");
    while (must(engine.admin().describe_topic("t")).overrides.empty()) {
      must(engine.admin().alter_config("t", {{"retention.ms", "5"}}));
      must(engine.admin().create_partitions("t", 3));
    }
    while (!std::filesystem::exists(looked)) std::this_thread::yield();
    must(engine.admin().delete_topic("t"));
    create_topic(engine, "t", 7);
    voice.say("2");
    voice.sleep_until_killed();
  });
  REQUIRE(writer.hear(1) == "1");
  const Engine reader = open_engine(path, {.mode = OpenMode::read_only});
  CHECK(must(reader.admin().describe_topic("t")).partitions.size() >= 1);
  std::filesystem::create_directory(looked);
  REQUIRE(writer.hear(1) == "2");
  CHECK(must(reader.admin().describe_topic("t")).partitions.size() == 7);
  CHECK(must(reader.admin().describe_topic("t")).overrides.empty());
}

TEST_CASE("a read-only engine shows a configuration that the writer changed after it looked") {
  const TempDir directory;
  const std::string path = directory / "data";
  {
    const Engine engine = open_engine(path);
    create_topic(engine, "t");
  }
  ChildProcess reader([&](const ChildProcess::Voice& voice) {
    const Engine engine = open_engine(path, {.mode = OpenMode::read_only});
    const bool before = must(engine.admin().describe_topic("t")).overrides.empty();
    voice.say(before ? "1" : "0");
    const bool after =
        comes_true([&] { return must(engine.admin().describe_topic("t")).config.retention_ms == 5; });
    voice.say(after ? "1" : "0");
  });
  REQUIRE(reader.hear(1) == "1");
  const Engine writer = open_engine(path);
  must(writer.admin().alter_config("t", {{"retention.ms", "5"}}));
  CHECK(reader.hear(1) == "1");
}

TEST_CASE("reports reach the log sink, and errors are counted") {
  std::vector<std::string> lines;
  const OpenedEngine opened(1, {},
                            {.log_sink = [&](LogLevel, std::string_view line) { lines.emplace_back(line); }});
  const auto& impl = EngineImpl::of(opened.engine);
  impl->report(LogLevel::warn, "a warning");
  impl->report(LogLevel::error, "an error");
  CHECK(lines == std::vector<std::string>{"a warning", "an error"});
  CHECK(opened.engine.metrics().background_errors == 1);
}

}  // namespace
}  // namespace seriatim
