#include <doctest/doctest.h>

#include <fstream>

#include "support/child_process.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim {
namespace {

using test::ChildProcess;
using test::code_of;
using test::create_topic;
using test::message_of;
using test::must;
using test::open_engine;
using test::OpenedEngine;
using test::read_values;
using test::TempDir;

TEST_CASE("records, topics and settings are there after a close and reopen") {
  const TempDir directory;
  const std::string path = directory / "data";
  {
    const Engine engine = open_engine(path);
    create_topic(engine, "orders", 3, {{"retention.ms", "-1"}});
    Producer producer = must(engine.producer());
    must(producer.send_sync({.topic = "orders", .value = "a", .partition = 1}));
    must(producer.send_sync({.topic = "orders", .value = "b", .partition = 1}));
    must(engine.close());
  }
  const Engine engine = open_engine(path, {.mode = OpenMode::read_write});
  CHECK(detail::EngineImpl::of(engine)->was_clean);
  CHECK(must(engine.admin().list_topics()) == std::vector<std::string>{"orders"});
  const TopicDescription orders = must(engine.admin().describe_topic("orders"));
  CHECK(orders.partitions.size() == 3);
  CHECK(orders.config.retention_ms == -1);
  CHECK(read_values(engine, "orders", 1) == std::vector<std::string>{"a", "b"});
  Producer producer = must(engine.producer());
  CHECK(must(producer.send_sync({.topic = "orders", .value = "c", .partition = 1})).offset == 2);
}

TEST_CASE("what cannot be a data directory is refused with the reason") {
  const TempDir directory;
  const auto open = [](const std::string& path, OpenMode mode) { return Engine::open(path, {.mode = mode}); };
  CHECK(code_of(open("", OpenMode::create_if_missing)) == Errc::invalid_argument);
  CHECK(code_of(open(directory / "missing", OpenMode::read_write)) == Errc::not_found);
  CHECK(code_of(open(directory / "missing", OpenMode::read_only)) == Errc::not_found);
  CHECK(code_of(open(directory / "no/parent", OpenMode::create_if_missing)) == Errc::not_found);
  std::ofstream(directory / "file") << "text";
  CHECK_FALSE(open(directory / "file", OpenMode::create_if_missing).ok());
  CHECK(code_of(open(directory.path(), OpenMode::create_if_missing)) == Errc::not_a_data_directory);
  CHECK(message_of(open(directory.path(), OpenMode::create_if_missing)).find("holds file") !=
        std::string::npos);
}

TEST_CASE("intervals out of range are refused") {
  const TempDir directory;
  CHECK(code_of(Engine::open(directory / "data", {.maintenance_interval = std::chrono::milliseconds(-1)})) ==
        Errc::invalid_argument);
  CHECK(code_of(Engine::open(directory / "data", {.checkpoint_interval = std::chrono::milliseconds(0)})) ==
        Errc::invalid_argument);
}

TEST_CASE("a second open for writing in the same process is refused") {
  const OpenedEngine opened;
  CHECK(code_of(Engine::open(opened.path())) == Errc::invalid_state);
}

TEST_CASE("a second writing process is refused with the pid of the first") {
  const TempDir directory;
  const std::string path = directory / "data";
  ChildProcess writer([&](const ChildProcess::Voice& voice) {
    const auto engine = Engine::open(path);
    voice.say(engine.ok() ? "+" : "-");
    voice.sleep_until_killed();
  });
  REQUIRE(writer.hear(1) == "+");
  const auto second = Engine::open(path);
  CHECK(code_of(second) == Errc::locked);
  CHECK(message_of(second).find(std::to_string(writer.pid())) != std::string::npos);
  writer.kill();
  CHECK(Engine::open(path).ok());
}

TEST_CASE("a read-only engine sees what the writer appends and changes nothing") {
  const OpenedEngine opened;
  Producer producer = must(opened.engine.producer());
  must(producer.send_sync({.topic = "t", .value = "before"}));
  ChildProcess reader([&](const ChildProcess::Voice& voice) {
    const auto engine = Engine::open(opened.path(), {.mode = OpenMode::read_only});
    if (!engine) return voice.say(engine.error().message());
    const auto values = read_values(*engine, "t");
    const auto refused_producer = engine->producer();
    const auto refused_topic = engine->admin().create_topic({.name = "other"});
    const auto refused_flush = engine->flush();
    const bool is_read_only = code_of(refused_producer) == Errc::read_only &&
                              code_of(refused_topic) == Errc::read_only &&
                              code_of(refused_flush) == Errc::read_only;
    voice.say((values == std::vector<std::string>{"before"} ? "seen " : "not seen ") +
              std::string(is_read_only ? "refused" : "not refused"));
  });
  CHECK(reader.hear_all() == "seen refused");
  CHECK(reader.wait() == 0);
}

TEST_CASE("after fork the child's handles answer invalid_state and leave the parent's engine alone") {
  auto opened = std::make_unique<OpenedEngine>();
  auto producer =
      std::make_unique<Producer>(must(opened->engine.producer({.linger = std::chrono::seconds(30)})));
  auto lingering = std::make_unique<DeliveryFuture>(producer->send({.topic = "t", .value = "lingers"}));
  ChildProcess child([&](const ChildProcess::Voice& voice) {
    const bool refused = code_of(producer->send_sync({.topic = "t", .value = "x"})) == Errc::invalid_state &&
                         code_of(opened->engine.admin().list_topics()) == Errc::invalid_state &&
                         code_of(opened->engine.flush()) == Errc::invalid_state &&
                         code_of(opened->engine.close()) == Errc::invalid_state;
    lingering.reset();
    producer.reset();
    Engine engine = opened->engine;
    static_cast<void>(opened.release());  // Its directory is the parent's to remove.
    voice.say(refused ? "refused" : "not refused");
  });
  CHECK(child.hear_all() == "refused");
  CHECK(child.wait() == 0);
  must(producer->flush());
  CHECK(must(lingering->get()).offset == 0);
  CHECK(code_of(Engine::open(opened->path())) == Errc::invalid_state);
}

TEST_CASE("destroying every handle in a forked child ends there and keeps the parent's lock") {
  const TempDir directory;
  const std::string path = directory / "data";
  auto engine = std::make_unique<Engine>(open_engine(path));
  create_topic(*engine, "t");
  must(must(engine->producer()).send_sync({.topic = "t", .value = "a"}));
  ChildProcess child([&](const ChildProcess::Voice& voice) {
    engine.reset();
    voice.say("gone");
  });
  CHECK(child.hear_all() == "gone");
  CHECK(child.wait() == 0);
  ChildProcess other([&](const ChildProcess::Voice& voice) {
    voice.say(code_of(Engine::open(path)) == Errc::locked ? "locked" : "free");
  });
  CHECK(other.hear_all() == "locked");
  CHECK(must(must(engine->producer()).send_sync({.topic = "t", .value = "b"})).offset == 1);
}

TEST_CASE("after close every handle answers closed, and the directory can be opened again beside them") {
  const OpenedEngine opened;
  Producer producer = must(opened.engine.producer());
  const Admin admin = opened.engine.admin();
  const LogReader reader = must(opened.engine.reader({"t", 0}));
  must(producer.send_sync({.topic = "t", .value = "a"}));
  const ConsumerRecords kept = must(reader.read(0, 10));
  must(opened.engine.close());
  must(opened.engine.close());
  CHECK(code_of(producer.send_sync({.topic = "t", .value = "b"})) == Errc::closed);
  CHECK(code_of(producer.send({.topic = "t", .value = "b"}).get()) == Errc::closed);
  CHECK(code_of(producer.append({"t", 0}, std::vector<Record>{{.value = "b"}})) == Errc::closed);
  CHECK(code_of(producer.try_claim({"t", 0}, 10)) == Errc::closed);
  CHECK(code_of(producer.flush()) == Errc::closed);
  CHECK(code_of(admin.list_topics()) == Errc::closed);
  CHECK(code_of(reader.fetch(0)) == Errc::closed);
  CHECK(code_of(opened.engine.producer()) == Errc::closed);
  CHECK(code_of(opened.engine.consumer()) == Errc::closed);
  CHECK(code_of(opened.engine.flush()) == Errc::closed);
  CHECK(kept[0].value().text() == "a");

  const Engine again = open_engine(opened.path());
  CHECK(read_values(again, "t") == std::vector<std::string>{"a"});
}

TEST_CASE("dropping the last handle closes cleanly") {
  const TempDir directory;
  {
    Producer producer = [&] {
      const Engine engine = open_engine(directory / "data");
      create_topic(engine, "t");
      return must(engine.producer());
    }();
    must(producer.send_sync({.topic = "t", .value = "the engine lives on in the producer"}));
  }
  const Engine engine = open_engine(directory / "data");
  CHECK(detail::EngineImpl::of(engine)->was_clean);
  CHECK(read_values(engine, "t").size() == 1);
}

TEST_CASE("what acks=leader acknowledged survives kill -9 at any instruction") {
  const TempDir directory;
  const std::string path = directory / "data";
  ChildProcess writer([&](const ChildProcess::Voice& voice) {
    const Engine engine = open_engine(path);
    create_topic(engine, "t");
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (int i = 0;; ++i) {
      must(producer.send_sync({.topic = "t", .value = "value " + std::to_string(i)}));
      voice.say(".");
    }
  });
  const std::size_t acknowledged = writer.hear(2000).size();
  writer.kill();
  const Engine engine = open_engine(path);
  CHECK_FALSE(detail::EngineImpl::of(engine)->was_clean);
  const auto values = read_values(engine, "t");
  REQUIRE(values.size() >= acknowledged);
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == "value " + std::to_string(i));
}

TEST_CASE("flush brings every record to stable storage, whatever its acks") {
  const OpenedEngine opened(2);
  Producer producer = must(opened.engine.producer({.acks = Acks::leader}));
  must(producer.send_sync({.topic = "t", .value = "a", .partition = 0}));
  must(producer.send_sync({.topic = "t", .value = "b", .partition = 1}));
  CHECK(must(opened.engine.admin().describe_topic("t")).partitions[1].durable_offset == 0);
  must(opened.engine.flush());
  for (const auto& partition : must(opened.engine.admin().describe_topic("t")).partitions)
    CHECK(partition.durable_offset == 1);
}

}  // namespace
}  // namespace seriatim
