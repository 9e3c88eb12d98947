// A program that names its data directory by a relative path and goes elsewhere afterwards.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include <seriatim/inspect.hpp>
#include <seriatim/repair.hpp>

#include "support/child_process.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim {
namespace {

namespace fs = std::filesystem;
using test::ChildProcess;
using test::create_topic;
using test::must;
using test::open_engine;
using test::read_values;
using test::TempDir;

const ConfigMap small_segments{{"segment.bytes", "2048"}};

// Two programs' directories, both called "data", both with a topic "t".
struct TwoPrograms {
  TwoPrograms() {
    for (const char* side : {"a", "b"}) {
      fs::create_directory(temp / side);
      const Engine engine = open_engine(data(side));
      create_topic(engine, "t", 1, small_segments);
      must(must(engine.producer()).send_sync({.topic = "t", .value = side}));
      must(engine.close());
    }
  }
  std::string data(const std::string& side) const { return temp / (side + "/data"); }
  /// Every file of one, with its bytes.
  std::map<std::string, std::string> files(const std::string& side) const {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(data(side))) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      all[entry.path().string()] = {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }
    return all;
  }

  TempDir temp;
};

void go_to(const std::string& directory) {
  if (::chdir(directory.c_str()) != 0) ::_exit(2);
}

// Everything that opens, makes, renames or deletes files.
void do_everything(const Engine& engine) {
  Producer producer = must(engine.producer());
  for (int i = 0; i < 30; ++i) must(producer.send_sync({.topic = "t", .value = std::string(200, 'A')}));
  create_topic(engine, "u", 2);
  must(producer.send_sync({.topic = "u", .value = "1", .partition = 1}));
  TransactionalProducer transactional = must(engine.transactional_producer({.transactional_id = "id"}));
  Transaction transaction = must(transactional.begin());
  must(transaction.send({.topic = "t", .value = "of a transaction"}));
  must(transaction.commit());
  must(engine.admin().alter_config("t", {{"retention.ms", "-1"}}));
  must(engine.admin().delete_topic("u"));
  must(engine.flush());
  if (!must(engine.admin().verify()).findings.empty()) ::_exit(4);
}

TEST_CASE("an engine stays in its directory when the working directory changes") {
  const TwoPrograms two;
  const auto before = two.files("b");
  ChildProcess child([&](const ChildProcess::Voice& voice) {
    go_to(two.temp / "a");
    const Engine engine = must(Engine::open("data"));
    go_to(two.temp / "b");
    do_everything(engine);
    must(engine.close());
    voice.say(engine.directory().string());
  });
  CHECK(child.hear_all() == two.data("a"));
  REQUIRE(child.wait() == 0);
  CHECK(two.files("b") == before);
  CHECK(must(verify(two.data("a"))).findings.empty());
  CHECK(read_values(open_engine(two.data("a")), "t").size() == 32);
}

TEST_CASE("a read-only engine stays in its directory when the working directory changes") {
  const TwoPrograms two;
  ChildProcess child([&](const ChildProcess::Voice& voice) {
    go_to(two.temp / "a");
    const Engine engine = must(Engine::open("data/.", {.mode = OpenMode::read_only}));
    go_to(two.temp / "b");
    voice.say(read_values(engine, "t").front());
  });
  CHECK(child.hear_all() == "a");
}

TEST_CASE("verify stays in its directory when the working directory changes") {
  const TwoPrograms two;
  {
    // Looked at before t, and long enough for a call of `progress`.
    const Engine engine = open_engine(two.data("a"));
    create_topic(engine, "big");
    Producer producer = must(engine.producer());
    for (int i = 0; i < 4; ++i)
      must(producer.send_sync({.topic = "big", .value = std::string(500'000, 'x')}));
    must(engine.close());
  }
  for (const auto& entry : fs::directory_iterator(two.data("b") + "/log/t-0"))
    fs::resize_file(entry.path(), 1);
  ChildProcess child([&](const ChildProcess::Voice& voice) {
    go_to(two.temp / "a");
    bool has_gone = false;
    const auto report = verify("data", {.progress = [&](std::uint64_t, std::uint64_t) {
                                 go_to(two.temp / "b");
                                 has_gone = true;
                                 return true;
                               }});
    voice.say(has_gone && report && report->findings.empty() ? "clean" : "not clean");
  });
  CHECK(child.hear_all() == "clean");
}

TEST_CASE("repair stays in its directory when the working directory changes") {
  const TwoPrograms two;
  const std::string log = two.data("a") + "/log/t-0/00000000000000000000.log";
  {
    const Engine engine = open_engine(two.data("a"));
    must(must(engine.producer()).send_sync({.topic = "t", .value = "behind"}));
    test::copy_live(engine.directory(), two.temp / "a/killed");
  }
  fs::remove_all(two.data("a"));
  fs::rename(two.temp / "a/killed", two.data("a"));
  // A tail that opening cuts, and tells of. A batch ends with a zero, the number of its last record's
  // headers.
  std::string bytes = two.files("a").at(log);
  bytes.resize(bytes.find_last_not_of('\0') + 2);
  std::ofstream(log, std::ios::trunc | std::ios::binary) << bytes << std::string(100, 'x');
  const auto before = two.files("b");
  ChildProcess child([&](const ChildProcess::Voice& voice) {
    go_to(two.temp / "a");
    bool has_gone = false;
    const auto report = repair("data", {.accept_loss = true, .log_sink = [&](LogLevel, std::string_view) {
                                          go_to(two.temp / "b");
                                          has_gone = true;
                                        }});
    if (!report) voice.say(report.error().message());
    voice.say(has_gone ? "repaired" : "nothing was told");
  });
  CHECK(child.hear_all() == "repaired");
  CHECK(two.files("b") == before);
  CHECK(must(verify(two.data("a"))).worst().value_or(Severity::note) == Severity::note);
}

}  // namespace
}  // namespace seriatim
