#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>

#include "catalog/lmdb/data_file_check.hpp"
#include "directory/background.hpp"
#include "directory/files/format_file.hpp"
#include "support/child_process.hpp"
#include "support/failing_vfs.hpp"
#include "support/passing_vfs.hpp"
#include "unit/api/engine_fixture.hpp"
#include "unit/catalog/old_catalog.hpp"

namespace seriatim {
namespace {

namespace fs = std::filesystem;
using test::ChildProcess;
using test::code_of;
using test::create_topic;
using test::FailingVfs;
using test::message_of;
using test::must;
using test::open_engine;
using test::open_engine_with;
using test::read_values;
using test::TempDir;

TEST_CASE("a birth that stops at any step is begun anew by the next open") {
  bool stopped_somewhere = false;
  for (int steps = 0;; ++steps) {
    CAPTURE(steps);
    const TempDir directory;
    const std::string path = directory / "data";
    FailingVfs vfs;
    vfs.fail_after(steps);
    const bool was_born =
        detail::EngineImpl::open(path, {}, vfs, base::system_clock()).ok() && !vfs.has_failed();
    vfs.heal();
    {
      const Engine engine = open_engine(path);
      CHECK(must(engine.admin().list_topics()).empty());
      create_topic(engine, "t");
      must(must(engine.producer()).send_sync({.topic = "t", .value = "a"}));
    }
    CHECK(read_values(open_engine(path), "t").size() == 1);
    for (const auto& entry : fs::directory_iterator(path))
      CHECK_MESSAGE(!entry.path().filename().string().starts_with("catalog.new"), entry.path());
    if (was_born) break;
    stopped_somewhere = true;
  }
  CHECK(stopped_somewhere);
}

TEST_CASE("a directory that lost its FORMAT is refused and left as it is") {
  const TempDir directory;
  const std::string path = directory / "data";
  {
    const Engine engine = open_engine(path);
    create_topic(engine, "t");
    must(must(engine.producer()).send_sync({.topic = "t", .value = "precious"}));
  }
  const std::string format = path + "/FORMAT";
  fs::rename(format, directory / "FORMAT");
  CHECK(code_of(Engine::open(path)) == Errc::not_a_data_directory);
  for (const char* name : {"/counters", "/RESERVE"}) fs::remove(path + name);
  // All names that are left could be those of a birth.
  CHECK(code_of(Engine::open(path)) == Errc::corrupt_metadata);
  CHECK(message_of(Engine::open(path)).find("t-0") != std::string::npos);
  fs::rename(directory / "FORMAT", format);
  CHECK(read_values(open_engine(path), "t") == std::vector<std::string>{"precious"});
}

TEST_CASE("a directory written by a newer seriatim is refused as such, for writing and for reading") {
  const TempDir directory;
  const std::string path = directory / "data";
  must(open_engine(path).close());
  for (const directory::FormatFile& newer :
       {directory::FormatFile{.version = directory::format_version + 1},
        directory::FormatFile{.features = 16},
        directory::FormatFile{.features = directory::known_features | 16}}) {
    must(directory::write_format_file(os::posix_vfs(), path, newer));
    const std::string before = catalog::read_all(path + "/FORMAT");
    CHECK(code_of(Engine::open(path)) == Errc::unsupported_version);
    CHECK(code_of(Engine::open(path, {.mode = OpenMode::read_only})) == Errc::unsupported_version);
    CHECK(code_of(verify(path)) == Errc::unsupported_version);
    CHECK(catalog::read_all(path + "/FORMAT") == before);
  }
}

// A directory of before producers, transactional ids and state: topic "t", closed cleanly.
void make_older_directory(const std::string& path) {
  must(open_engine(path).close());
  fs::remove_all(path + "/catalog");
  fs::remove_all(path + "/journal");  // Its LSNs are not those of the catalog that takes the place.
  catalog::make_old_catalog(path + "/catalog", catalog::first_databases());
  auto format = must(directory::read_format_file(os::posix_vfs(), path));
  format.features = 0;
  must(directory::write_format_file(os::posix_vfs(), path, format));
}

TEST_CASE("a writer upgrades an older directory, FORMAT before the catalog, wherever it is stopped") {
  bool was_stopped_between = false;
  for (int steps = 0;; ++steps) {
    CAPTURE(steps);
    const TempDir directory;
    const std::string path = directory / "data";
    make_older_directory(path);
    const catalog::Id id = must(directory::read_format_file(os::posix_vfs(), path)).directory_id;
    FailingVfs vfs;
    vfs.fail_after(steps);
    const bool opened =
        detail::EngineImpl::open(path, {}, vfs, base::system_clock()).ok() && !vfs.has_failed();
    vfs.heal();
    const auto format = must(directory::read_format_file(os::posix_vfs(), path));
    const bool has_databases =
        must(catalog::check_meta_pages(path + "/catalog")).main_tree.entries == catalog::database_count;
    CHECK((format.features == directory::known_features || !has_databases));
    was_stopped_between =
        was_stopped_between || (format.features == directory::known_features && !has_databases);
    CHECK(must(open_engine(path).admin().list_topics()) == std::vector<std::string>{"t"});
    const auto upgraded = must(directory::read_format_file(os::posix_vfs(), path));
    CHECK(upgraded.features == directory::known_features);
    CHECK(upgraded.directory_id == id);
    if (opened) break;
  }
  CHECK(was_stopped_between);
}

TEST_CASE("an older directory is read as it is, and nothing in it is changed by that") {
  const TempDir directory;
  const std::string path = directory / "data";
  make_older_directory(path);
  const std::string format = catalog::read_all(path + "/FORMAT");
  const std::string data = catalog::read_all(path + "/catalog/data.mdb");
  {
    const Engine engine = must(Engine::open(path, {.mode = OpenMode::read_only}));
    CHECK(must(engine.admin().list_topics()) == std::vector<std::string>{"t"});
  }
  CHECK(must(verify(path)).findings.empty());
  CHECK(catalog::read_all(path + "/FORMAT") == format);
  CHECK(catalog::read_all(path + "/catalog/data.mdb") == data);
}

TEST_CASE("an older directory that is damaged is not upgraded") {
  const TempDir directory;
  const std::string path = directory / "data";
  make_older_directory(path);
  fs::rename(path + "/log", directory / "log");
  const std::string format = catalog::read_all(path + "/FORMAT");
  CHECK(code_of(Engine::open(path)) == Errc::corrupt_metadata);
  CHECK(catalog::read_all(path + "/FORMAT") == format);
}

TEST_CASE("a deletion that was cut short is finished by the next open") {
  bool cut_short = false;
  for (int steps = 0;; ++steps) {
    CAPTURE(steps);
    const TempDir directory;
    const std::string path = directory / "data";
    FailingVfs vfs;
    {
      const Engine engine = open_engine_with(path, vfs, base::system_clock());
      // Of nothing but the deletion the failure is met.
      detail::EngineImpl::of(engine)->background->stop();
      create_topic(engine, "gone", 2);
      create_topic(engine, "kept");
      Producer producer = must(engine.producer());
      for (const PartitionId partition : {0, 1})
        must(producer.send_sync({.topic = "gone", .value = "x", .partition = partition}));
      must(producer.send_sync({.topic = "kept", .value = "y"}));
      vfs.fail_after(steps);
      const bool deleted = engine.admin().delete_topic("gone").ok();
      CHECK(deleted == !vfs.has_failed());
      cut_short = cut_short || !deleted;
      CHECK(code_of(engine.admin().describe_topic("gone")) == Errc::unknown_topic_or_partition);
    }
    const bool went_through = !vfs.has_failed();
    vfs.heal();
    const Engine engine = open_engine(path);
    CHECK(must(engine.admin().list_topics()) == std::vector<std::string>{"kept"});
    for (const auto& entry : fs::directory_iterator(path + "/log"))
      CHECK((entry.path().filename() == "kept-0" || entry.path().filename() == "MOMENT"));
    create_topic(engine, "gone");
    CHECK(read_values(engine, "gone").empty());
    CHECK(read_values(engine, "kept") == std::vector<std::string>{"y"});
    if (went_through) break;
  }
  CHECK(cut_short);
}

TEST_CASE("INV-2: committed offsets beyond the recovered end are set back to it, and said so") {
  const TempDir directory;
  const std::string path = directory / "data";
  ChildProcess writer([&](const ChildProcess::Voice& voice) {
    const Engine engine = open_engine(path);
    create_topic(engine, "t");
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (int i = 0; i < 5; ++i) must(producer.send_sync({.topic = "t", .value = "x"}));
    must(engine.admin().alter_group_offsets("g", {{{"t", 0}, {5, ""}}}));
    voice.say("+");
    voice.sleep_until_killed();
  });
  REQUIRE(writer.hear(1) == "+");
  writer.kill();
  // A power cut that took the pages of the log, of which nothing was promised, and left the offsets, which
  // were synced.
  fs::resize_file(path + "/log/t-0/00000000000000000000.log", 0);
  std::vector<std::string> lines;
  const Engine engine =
      open_engine(path, {.log_sink = [&](LogLevel, std::string_view line) { lines.emplace_back(line); }});
  const auto offsets = must(engine.admin().group_offsets("g"));
  REQUIRE(offsets.size() == 1);
  CHECK(offsets[0].committed.offset == 0);
  CHECK(offsets[0].log_end_offset == 0);
  CHECK(lines.size() == 1);
}

// Notes which files are dropped from the page cache, and which had been opened before.
class CacheWatch final : public test::PassingVfs {
 public:
  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    return open_as<WatchedFile>(path, mode, dropped);
  }
  std::vector<std::string> dropped;

 private:
  class WatchedFile final : public test::PassingFile {
   public:
    WatchedFile(std::unique_ptr<os::File> file, std::vector<std::string>& dropped)
        : PassingFile(std::move(file)), dropped_(dropped) {}
    Result<void> drop_cache(std::uint64_t at, std::uint64_t length) override {
      dropped_.push_back(path());
      return PassingFile::drop_cache(at, length);
    }

   private:
    std::vector<std::string>& dropped_;
  };
};

TEST_CASE("the catalog is read from the disk, not from a page cache that may hold what was never written") {
  const TempDir directory;
  const std::string path = directory / "data";
  must(open_engine(path).close());
  CacheWatch vfs;
  const base::Clock& clock = base::system_clock();
  must(open_engine_with(path, vfs, clock).close());
  CHECK(vfs.dropped == std::vector<std::string>{path + "/catalog/data.mdb"});
  vfs.dropped.clear();
  must(open_engine_with(path, vfs, clock, {.mode = OpenMode::read_only}).close());
  CHECK(vfs.dropped.empty());  // It may be a live writer's.
}

TEST_CASE("an open that fails leaves the lock free") {
  const TempDir directory;
  const std::string path = directory / "data";
  must(open_engine(path).close());
  FailingVfs vfs;
  vfs.fail_after(0, Errc::storage_full);
  CHECK_FALSE(detail::EngineImpl::open(path, {}, vfs, base::system_clock()).ok());
  CHECK(Engine::open(path).ok());
}

TEST_CASE("many topics open and reopen within 1024 descriptors") {
  // The guarantee is for 10'000 partitions; a tenth of them, in 100 topics, keeps this test to seconds.
  const TempDir directory;
  const std::string path = directory / "data";
  const auto count_open = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  for (const bool again : {false, true}) {
    const Engine engine = open_engine(path);
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (int topic = 0; topic < 100; ++topic) {
      const std::string name = "topic-" + std::to_string(topic);
      if (!again) create_topic(engine, name, 10);
      for (PartitionId i = 0; i < 10; ++i) {
        CHECK(must(producer.send_sync({.topic = name, .value = "x", .partition = i})).offset ==
              (again ? 1 : 0));
      }
    }
    CHECK(count_open() < 1024);
  }
}

/// Notes which directories were synced.
class SyncedDirectories final : public test::PassingVfs {
 public:
  std::set<std::string> synced;
  Result<void> sync_directory(const std::string& path) override {
    synced.insert(path);
    return PassingVfs::sync_directory(path);
  }
};

TEST_CASE(
    "INV-4: after a kill, names that nobody may have synced are synced before anything builds on them") {
  const TempDir directory;
  const std::string copy = directory / "copy";
  {
    const Engine engine = open_engine(directory / "data");
    create_topic(engine, "t");
    must(must(engine.producer({.acks = Acks::leader})).send_sync({.topic = "t", .value = "x"}));
    fs::copy(directory / "data", copy, fs::copy_options::recursive);
  }
  SyncedDirectories vfs;
  const Engine engine = open_engine_with(copy, vfs, base::system_clock());
  for (const char* name : {"", "/log", "/log/t-0"}) {
    CAPTURE(std::string(name));
    CHECK(vfs.synced.contains(copy + name));
  }
}

TEST_CASE("INV-4: the name of a directory that a killed birth has left is synced before the birth ends") {
  const TempDir directory;
  fs::create_directories(directory / "data/log");
  SyncedDirectories vfs;
  const Engine engine = open_engine_with(directory / "data", vfs, base::system_clock());
  CHECK(vfs.synced.contains(directory.path()));
}

/// Counts the bytes that are read from segments.
class CountedReads final : public test::PassingVfs {
 public:
  std::atomic<std::uint64_t> bytes{0};
  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    if (!path.ends_with(".log")) return PassingVfs::open(path, mode);
    return open_as<LogFile>(path, mode, *this);
  }

 private:
  class LogFile final : public test::PassingFile {
   public:
    LogFile(std::unique_ptr<os::File> file, CountedReads& owner)
        : PassingFile(std::move(file)), owner_(owner) {}
    Result<std::size_t> read_at(base::MutableByteSpan into, std::uint64_t at) override {
      owner_.bytes += into.size();
      return PassingFile::read_at(into, at);
    }

   private:
    CountedReads& owner_;
  };
};

std::uint64_t bytes_read_by_reopening(int batches) {
  const TempDir directory;
  constexpr PartitionId partitions = 20;
  {
    Engine engine = open_engine(directory / "data");
    create_topic(engine, "t", partitions);
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    const std::string value(1000, 'v');
    const std::vector<Record> records(10, Record{.value = value});
    for (int i = 0; i < batches; ++i) must(producer.append({"t", i % partitions}, records));
    must(engine.close());
  }
  CountedReads vfs;
  const Engine engine = open_engine_with(directory / "data", vfs, base::system_clock());
  must(engine.admin().describe_topic("t"));  // opens every partition
  return vfs.bytes;
}

TEST_CASE("a clean reopen scans no data: ten times as much of it is not read") {
  const std::uint64_t of_little = bytes_read_by_reopening(200);
  const std::uint64_t of_much = bytes_read_by_reopening(2'000);
  MESSAGE("bytes read: " << of_little << " of 2 MB, " << of_much << " of 20 MB");
  CHECK(of_much <= 2 * of_little);
  CHECK(of_much < 1'000'000);
}

}  // namespace
}  // namespace seriatim
