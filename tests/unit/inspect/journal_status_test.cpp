// The journal seen from outside: journal_status.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include <seriatim/inspect.hpp>

#include "support/child_process.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim {
namespace {

namespace fs = std::filesystem;
using test::code_of;
using test::create_topic;
using test::must;
using test::open_engine;
using test::TempDir;

// A writer in a process of its own with `sends` durable records, that lives until it is killed.
class Writer {
 public:
  Writer(const std::string& path, int sends)
      : child_([path, sends](const test::ChildProcess::Voice& voice) {
          const auto engine = Engine::open(path);
          if (!engine || !engine->admin().create_topic({.name = "t"})) ::_exit(5);
          auto producer = engine->producer();
          for (int i = 0; i < sends; ++i) {
            if (!producer->send_sync({.topic = "t", .value = "v"})) ::_exit(5);
          }
          voice.say("made");
          voice.sleep_until_killed();
        }) {
    CHECK(child_.hear(4) == "made");
  }
  void kill() { child_.kill(); }

 private:
  test::ChildProcess child_;
};

TEST_CASE("after a clean close everything is covered, and the time of the checkpoint is known") {
  const TempDir directory;
  const std::string path = directory / "data";
  {
    const Engine engine = open_engine(path);
    create_topic(engine, "t");
    Producer producer = must(engine.producer());
    must(producer.send_sync({.topic = "t", .value = "v"}));
    must(engine.close());
  }
  const auto before = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const JournalStatus status = must(journal_status(path));
  CHECK_FALSE(status.is_live);
  CHECK(status.durable_lsn == 1);
  CHECK(status.covered_lsn == 1);
  CHECK(status.bytes_in_use == 0);
  CHECK(status.damage.empty());
  CHECK_FALSE(status.oldest_wait.has_value());
  REQUIRE(status.checkpoint_time.has_value());
  CHECK(*status.checkpoint_time <= before);
  // The next writer has made none yet, and tells the same time.
  const Engine engine = open_engine(path);
  CHECK(engine.metrics().checkpoints == 0);
  CHECK(engine.metrics().checkpoint_time_ms ==
        static_cast<std::uint64_t>(status.checkpoint_time->time_since_epoch().count()));
}

TEST_CASE("a live writer's journal is told from its counters, a dead one's from its files") {
  const TempDir directory;
  const std::string path = directory / "data";
  Writer writer(path, 3);
  CHECK(test::comes_true([&] {
    const auto status = journal_status(path);
    return status && status->is_live && status->durable_lsn == 3;
  }));
  const JournalStatus live = must(journal_status(path));
  CHECK(live.files == 1);
  CHECK(live.bytes_in_use > 1024);
  writer.kill();
  const JournalStatus dead = must(journal_status(path));
  CHECK_FALSE(dead.is_live);
  CHECK(dead.files == 1);
  CHECK(dead.durable_lsn == 3);
  CHECK(dead.covered_lsn == 0);
  CHECK(dead.bytes_in_use == live.bytes_in_use);
}

TEST_CASE("background work is told from a live writer's counters, and as it was from those of a dead one") {
  const TempDir directory;
  const std::string path = directory / "data";
  Writer writer(path, 3);
  const auto run_of = [&](std::string_view name) {
    for (BackgroundJob& job : must(background_jobs(path))) {
      if (job.name == name) return std::move(job);
    }
    return BackgroundJob{};
  };
  CHECK(test::comes_true([&] { return run_of("journal files").runs > 0; }));
  const BackgroundJob live = run_of("journal files");
  CHECK(live.last_begin.has_value());
  CHECK(live.last_end.has_value());
  CHECK(live.failures == 0);
  CHECK(live.failure.empty());
  CHECK(run_of("checkpoint").period == std::chrono::seconds(60));
  CHECK_FALSE(run_of("checkpoint").last_begin.has_value());
  writer.kill();
  CHECK(run_of("journal files").runs >= live.runs);
  CHECK(code_of(background_jobs(directory / "none")) == Errc::not_found);
}

TEST_CASE("a damaged journal is told with its place, and a directory that is none is refused") {
  const TempDir directory;
  const std::string path = directory / "data";
  Writer(path, 3).kill();
  for (const auto& entry : fs::directory_iterator(path + "/journal")) {
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(1024 + 40);
    file.put('\x55');
    REQUIRE(file.good());
  }
  const JournalStatus status = must(journal_status(path));
  CHECK(status.damage.find("damaged at position 1024: journal frame 1") != std::string::npos);
  CHECK(code_of(journal_status(directory / "none")) == Errc::not_found);
  CHECK(code_of(journal_status(directory.path())) == Errc::not_a_data_directory);
}

}  // namespace
}  // namespace seriatim
