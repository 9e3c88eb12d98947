// Disks that are really full: a file system of a few MiB, and whatever the kernel answers there. LMDB writes
// by itself, and stores through a map meet the disk without a call, so that no seam of ours shows either.
#include "support/full_disk.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <thread>

#include "support/child_process.hpp"
#include "support/mounted.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

namespace fs = std::filesystem;
using detail::EngineImpl;

const std::string value(1000, 'v');

EngineOptions small_options() {
  return {.maintenance_interval = std::chrono::milliseconds(0),
          .journal_max_bytes = 1U << 20,
          .journal_file_bytes = 64U << 10};
}

// Appends until the disk is full; how many were acknowledged. CHECK, not REQUIRE: see with_mounted.
int send_until_full(const Engine& engine, const std::string& topic) {
  auto producer = engine.producer().value();
  for (int sent = 0;; ++sent) {
    const auto done = producer.send_sync({.topic = topic, .value = value});
    if (done) continue;
    CHECK_MESSAGE(done.error().code() == Errc::storage_full, done.error().message());
    CHECK(done.error().outcome() == Outcome::not_written);
    CHECK(done.error().message().find("Free space") != std::string::npos);
    return sent;
  }
}

bool sends(const Engine& engine, const std::string& topic) {
  return engine.producer().value().send_sync({.topic = topic, .value = value}).ok();
}

void check_ok(const Result<>& done) {
  const std::string message = done ? "" : done.error().message();
  CHECK_MESSAGE(done.ok(), message);
}

Result<> commit(const Engine& engine, Offset offset) {
  return engine.consumer({.group_id = "g"}).value().commit_sync({{{"keep", 0}, {.offset = offset}}});
}

// A way to win space back, on a disk that has none.
struct Way {
  const char* what;
  std::function<Result<>(const Engine&)> go;
};

Result<> without_value(const Result<MaintenanceResult>& done) {
  return done ? Result<>{} : Result<>(done.error());
}

// Of "large" as little is to be kept as may be, and nothing may go.
Result<> wait_for_reader(const Engine& engine) {
  auto altered =
      engine.admin().alter_config("large", {{"retention.bytes", "1"}, {"retention.unread.groups", "reader"}});
  if (!altered) return altered;
  const auto kept = engine.admin().apply_retention("large");
  CHECK((kept && kept->deleted_segments == 0));
  return without_value(kept);
}

const Way ways[] = {
    {"delete_topic", [](const Engine& engine) { return engine.admin().delete_topic("large"); }},
    {"delete_records",
     [](const Engine& engine) -> Result<> {
       if (auto deleted = engine.admin().delete_records({"large", 0}, -1); !deleted) return deleted.error();
       return without_value(engine.admin().apply_retention("large"));
     }},
    {"retention",
     [](const Engine& engine) -> Result<> {
       auto altered = engine.admin().alter_config("large", {{"retention.bytes", "1"}});
       if (!altered) return altered;
       return without_value(engine.admin().apply_retention("large"));
     }},
    {"reading on by a group that retention waits for",
     [](const Engine& engine) -> Result<> {
       if (auto waiting = wait_for_reader(engine); !waiting) return waiting;
       const auto end = engine.admin().list_offset({"large", 0}, OffsetSpec::latest);
       if (!end) return end.error();
       auto read = engine.admin().alter_group_offsets("reader", {{{"large", 0}, {.offset = *end}}});
       if (!read) return read;
       return without_value(engine.admin().apply_retention("large"));
     }},
    {"a group that retention waits for no longer",
     [](const Engine& engine) -> Result<> {
       if (auto waiting = wait_for_reader(engine); !waiting) return waiting;
       auto altered = engine.admin().reset_config("large", {"retention.unread.groups"});
       if (!altered) return altered;
       return without_value(engine.admin().apply_retention("large"));
     }},
};

void fill_and_win_back(const std::string& root, const Way& way) {
  const std::string path = root + "/data";
  int kept = 0;
  {
    Engine engine = Engine::open(path, small_options()).value();
    CHECK(engine.admin().create_topic({.name = "keep", .config = {{"segment.bytes", "65536"}}}).ok());
    CHECK(engine.admin().create_topic({.name = "large", .config = {{"segment.bytes", "65536"}}}).ok());
    while (kept < 10 && sends(engine, "keep")) ++kept;
    send_until_full(engine, "large");
    fill(root + "/filler");
    // The space allocated already is used up, then that is the end.
    kept += send_until_full(engine, "keep");
    // The journal is full as well: positions go to the catalog, which the reserve is for.
    for (Offset offset = 1; offset <= 10; ++offset) check_ok(commit(engine, offset));
    check_ok(EngineImpl::of(engine)->checkpointer->checkpoint());
    CHECK(engine.reader({"keep", 0}).value().high_watermark() == kept);
    fill(root + "/filler");
    check_ok(way.go(engine));
    for (int i = 0; i < 100 && sends(engine, "keep"); ++i) ++kept;
    CHECK(engine.reader({"keep", 0}).value().high_watermark() == kept);
    CHECK(fs::file_size(path + "/RESERVE") > 0);
    check_ok(commit(engine, kept));
    check_ok(engine.close());
  }
  fill(root + "/filler");
  const auto again = Engine::open(path, small_options());
  CHECK_MESSAGE(again.ok(), message_of(again));
  if (!again) return;
  CHECK(read_values(*again, "keep").size() == static_cast<std::size_t>(kept));
  const auto position = again->consumer({.group_id = "g"}).value().committed({"keep", 0});
  CHECK((position && *position && (*position)->offset == kept));
  CHECK_FALSE(again->admin().verify().value().worst().has_value());
}

}  // namespace

TEST_CASE("on a disk full to the last byte what wins space back works, and appends go on without a reopen") {
  for (const Way& way : ways) {
    CAPTURE(way.what);
    const bool was_mounted =
        with_mounted("tmpfs", "size=8m", [&](const std::string& root) { fill_and_win_back(root, way); });
    if (!was_mounted) MESSAGE("skipped: no file system can be mounted here");
  }
}

TEST_CASE("an ext4 that is full is won back as well") {
  for (const Way& way : ways) {
    CAPTURE(way.what);
    const bool was_mounted = with_ext4(24, [&](const std::string& root) { fill_and_win_back(root, way); });
    if (!was_mounted) MESSAGE("skipped: no ext4 can be made and mounted here");
  }
}

TEST_CASE(
    "what a process left that died on a full disk opens there, loses nothing, and can be made smaller") {
  const bool was_mounted = with_mounted("tmpfs", "size=8m", [](const std::string& root) {
    const std::string path = root + "/data";
    ChildProcess child([&](const ChildProcess::Voice& voice) {
      const Engine engine = Engine::open(path, small_options()).value();
      if (!engine.admin().create_topic({.name = "large", .config = {{"segment.bytes", "65536"}}})) ::_exit(5);
      auto producer = engine.producer().value();
      int sent = 0;
      while (producer.send_sync({.topic = "large", .value = value})) ++sent;
      voice.say(std::to_string(sent));
      ::_exit(0);
    });
    const std::string said = child.hear_all();
    CHECK(child.wait() == 0);
    const auto sent = static_cast<std::size_t>(std::atoi(said.c_str()));
    CHECK(sent > 1000);
    fill(root + "/filler");
    const auto opened = Engine::open(path, small_options());
    CHECK_MESSAGE(opened.ok(), message_of(opened));
    if (!opened) return;
    CHECK(read_values(*opened, "large").size() == sent);
    fill(root + "/filler");
    send_until_full(*opened, "large");
    check_ok(opened->admin().delete_topic("large"));
    const auto created = opened->admin().create_topic({.name = "small"});
    CHECK_MESSAGE(created.ok(), message_of(created));
    CHECK(sends(*opened, "small"));
  });
  if (!was_mounted) MESSAGE("skipped: no file system can be mounted here");
}

TEST_CASE(
    "opening on a full disk without a reserve is storage_full, never a store into a page that is not there") {
  const bool was_mounted = with_mounted("tmpfs", "size=8m", [](const std::string& root) {
    const std::string path = root + "/data";
    CHECK(Engine::open(path, small_options()).value().close().ok());
    // As a copy that leaves out what is nobody's data.
    fs::remove(path + "/RESERVE");
    fs::remove(path + "/catalog/lock.mdb");
    fill(root + "/filler");
    ChildProcess child([&](const ChildProcess::Voice& voice) {
      const auto opened = Engine::open(path, small_options());
      voice.say(opened ? "opened" : std::string(opened.error().name()));
    });
    CHECK(child.hear_all() == "STORAGE_FULL");
    CHECK(child.wait() == 0);
    fs::remove(root + "/filler");
    CHECK(Engine::open(path, small_options()).ok());
  });
  if (!was_mounted) MESSAGE("skipped: no file system can be mounted here");
}

TEST_CASE("a disk that is full again and again under mapped appends never ends the process with SIGBUS") {
  const bool was_mounted = with_mounted("tmpfs", "size=24m", [](const std::string& root) {
    constexpr int threads = 3;
    constexpr int rounds = 6;
    ChildProcess child([&](const ChildProcess::Voice& voice) {
      const Engine engine = Engine::open(root + "/data", small_options()).value();
      // Large enough for pages to be made present in the background, small enough to roll.
      const ConfigMap config{{"segment.bytes", "3000000"}, {"index.interval.bytes", "200"}};
      if (!engine.admin().create_topic({.name = "t", .partition_count = threads, .config = config}))
        ::_exit(5);
      std::atomic<bool> is_over{false};
      std::vector<std::thread> writers;
      for (int t = 0; t < threads; ++t) {
        writers.emplace_back([&, t] {
          auto producer = engine.producer({.acks = Acks::leader}).value();
          while (!is_over) {
            const auto sent = producer.send_sync({.topic = "t", .value = value, .partition = t});
            if (!sent && sent.error().code() != Errc::storage_full) ::_exit(6);
          }
        });
      }
      for (int round = 0; round < rounds; ++round) {
        fill(root + "/filler");
        for (int t = 0; t < threads; ++t) {
          if (!engine.admin().delete_records({"t", t}, -1)) ::_exit(7);
        }
        if (!engine.admin().apply_retention("t")) ::_exit(8);
        fs::remove(root + "/filler");
      }
      is_over = true;
      for (std::thread& writer : writers) writer.join();
      voice.say(engine.close().ok() ? "closed" : "not closed");
    });
    CHECK(child.hear_all() == "closed");
    CHECK(child.wait() == 0);
  });
  if (!was_mounted) MESSAGE("skipped: no file system can be mounted here");
}

}  // namespace seriatim::test
