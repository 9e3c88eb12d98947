// A data directory whose surroundings fail it: rights, space, writability, descriptors.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "bad_input/attempt.hpp"
#include "bad_input/obstacles.hpp"
#include "support/full_disk.hpp"
#include "support/mounted.hpp"

namespace seriatim {
namespace {

using namespace test;

bool is_root() { return ::geteuid() == 0; }

void set_mode(const std::string& path, mode_t mode) { REQUIRE(::chmod(path.c_str(), mode) == 0); }

// A directory that everybody may enter, unlike a TempDir, with data in it that everybody may read.
struct PublicData {
  PublicData() {
    set_mode(directory.path(), 0755);
    make_data(path, Left::closed);
    for (const auto& entry : fs::recursive_directory_iterator(path))
      set_mode(entry.path(), entry.is_directory() ? 0755 : 0644);
    set_mode(path, 0755);
  }
  TempDir directory;
  std::string path = directory / "data";
};

TEST_CASE("without the right to a directory or file the error names it and its mode, and nothing is lost") {
  if (!is_root()) {
    MESSAGE("skipped: only root can make files that this process may not read");
    return;
  }
  const PublicData data;
  const auto as_nobody = [&](OpenMode mode) {
    return attempt(data.path, {.mode = mode, .is_unprivileged = true});
  };
  SUBCASE("to write") {
    const Attempt tried = as_nobody(OpenMode::read_write);
    CAPTURE(tried.text);
    CHECK(says(tried.line("open"), {"PERMISSION_DENIED", data.path, "owner and mode"}));
    CHECK(as_nobody(OpenMode::read_only).line("read") == std::to_string(made_records));
  }
  SUBCASE("to enter the directory") {
    set_mode(data.path, 0700);
    for (const OpenMode mode : {OpenMode::read_write, OpenMode::read_only}) {
      const Attempt tried = as_nobody(mode);
      CAPTURE(tried.text);
      CHECK(says(tried.line("open"), {"PERMISSION_DENIED", data.path, "owner and mode"}));
    }
    set_mode(data.path, 0755);
  }
  SUBCASE("to read one file or directory") {
    for (const std::string name : {"FORMAT", "catalog/data.mdb", "log/t-0/00000000000000000014.log",
                                   "log/t-0/00000000000000000014.index", "log/t-0", "log", "catalog"}) {
      CAPTURE(name);
      const std::string path = data.path + "/" + name;
      const mode_t mode = fs::is_directory(path) ? 0755 : 0644;
      set_mode(path, 0);
      const Attempt tried = as_nobody(OpenMode::read_only);
      set_mode(path, mode);
      CAPTURE(tried.text);
      const std::string answer = tried.line("open") == "ok" ? tried.line("read") : tried.line("open");
      CHECK(says(answer, {"PERMISSION_DENIED", path, "owner"}));
    }
  }
  SUBCASE("to make a directory") {
    const std::string path = data.directory / "new";
    const Attempt tried = attempt(path, {.mode = OpenMode::create_if_missing, .is_unprivileged = true});
    CAPTURE(tried.text);
    CHECK(says(tried.line("open"), {"PERMISSION_DENIED", path, "owner and mode"}));
    CHECK_FALSE(fs::exists(path));
  }
  const Attempt after = attempt(data.path);
  CHECK(after.line("read") == std::to_string(made_records));
  CHECK(after.line("append") == "ok");
}

void check_full(const Error& error, const std::string& path) {
  CAPTURE(error.message());
  CHECK(error.code() == Errc::storage_full);
  CHECK(error.outcome() == Outcome::not_written);
  CHECK(says(error.message(), {path, "Free space"}));
}

void fill_and_free(const std::string& root) {
  const std::string path = root + "/data";
  Engine engine = Engine::open(path).value();
  CHECK(engine.admin().create_topic({.name = "t", .config = {{"segment.bytes", "65536"}}}).ok());
  auto producer = engine.producer().value();
  auto consumer = engine.consumer({.group_id = "g"}).value();
  CHECK(consumer.assign_topic("t").ok());
  const std::string value(1000, 'v');
  Offset acknowledged = 0;
  const auto send = [&] { return producer.send_sync({.topic = "t", .key = "k", .value = value}); };
  while (acknowledged < 10 && send().ok()) ++acknowledged;
  const auto records = consumer.poll(std::chrono::seconds(10)).value();
  fill(root + "/filler");
  Result<RecordMetadata> sent = send();
  for (; sent && acknowledged < 10'000; sent = send()) ++acknowledged;
  CHECK_FALSE(sent.ok());
  if (!sent) check_full(sent.error(), path);
  const auto created = engine.admin().create_topic({.name = "another"});
  if (!created) CHECK(created.error().code() == Errc::storage_full);
  const auto committed = consumer.commit_sync(records);
  if (!committed) CHECK(committed.error().code() == Errc::storage_full);
  CHECK(engine.reader({"t", 0}).value().high_watermark() == acknowledged);
  fs::remove(root + "/filler");
  CHECK(send().value().offset == acknowledged);
  CHECK(consumer.commit_sync(records).ok());
  CHECK(engine.close().ok());
  Engine again = Engine::open(path).value();
  CHECK(again.reader({"t", 0}).value().high_watermark() == acknowledged + 1);
  CHECK(verify(path).ok() == false);  // This process has it open; the engine's own look is asked for.
  CHECK_FALSE(again.admin().verify().value().worst().has_value());
}

TEST_CASE("on a full file system every write says so, loses nothing, and works again when there is space") {
  const bool was_mounted = with_mounted("tmpfs", "size=1m", fill_and_free);
  if (!was_mounted) MESSAGE("skipped: no file system can be mounted here");
}

TEST_CASE("a directory cannot be born on a full file system, and is born when there is space") {
  const bool was_mounted = with_mounted("tmpfs", "size=512k", [](const std::string& root) {
    const std::string path = root + "/data";
    fill(root + "/filler");
    const auto refused = Engine::open(path);
    CHECK(code_of(refused) == Errc::storage_full);
    CHECK(says(message_of(refused), {path}));
    fs::remove(root + "/filler");
    const auto opened = Engine::open(path);
    CHECK(opened.ok());
    if (opened) CHECK(opened->admin().create_topic({.name = "t"}).ok());
  });
  if (!was_mounted) MESSAGE("skipped: no file system can be mounted here");
}

TEST_CASE("on a read-only file system the data can be read, and writing is refused with the reason") {
  const bool was_mounted = with_mounted("tmpfs", "size=4m", [](const std::string& root) {
    const std::string path = root + "/data";
    make_data(path, Left::closed);
    CHECK(::mount("none", root.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, "size=4m") == 0);
    const Attempt writing = attempt(path);
    const Attempt reading = attempt(path, {.mode = OpenMode::read_only});
    const Attempt born = attempt(root + "/new", {.mode = OpenMode::create_if_missing});
    CHECK(::mount("none", root.c_str(), nullptr, MS_REMOUNT, "size=4m") == 0);
    CAPTURE(writing.text);
    CAPTURE(reading.text);
    CAPTURE(born.text);
    CHECK(says(writing.line("open"), {"READ_ONLY", path, "Mount the file system writable"}));
    CHECK(says(born.line("open"), {"READ_ONLY", root + "/new", "Mount the file system writable"}));
    CHECK(reading.line("read") == std::to_string(made_records));
    const Attempt after = attempt(path);
    CHECK(after.line("read") == std::to_string(made_records));
    CHECK(after.line("append") == "ok");
  });
  if (!was_mounted) MESSAGE("skipped: no file system can be mounted here");
}

TEST_CASE("too few descriptors are too_many_open_files with the limit to raise, never a loss") {
  const TempDir directory;
  const std::string path = directory / "data";
  make_data(path, Left::closed);
  int records = made_records;
  int refusals = 0;
  bool was_enough = false;
  for (rlim_t limit = 5; limit <= 40; ++limit) {
    const Attempt tried = attempt(path, {.descriptors_max = limit});
    CAPTURE(limit);
    CAPTURE(tried.text);
    CHECK(tried.ended_well());
    for (const std::string what : {"open", "read", "append"}) {
      const std::string answer = tried.line(what);
      if (answer.find(": ") == std::string::npos) continue;
      CHECK(says(answer, {"TOO_MANY_OPEN_FILES", path, "ulimit -n"}));
      ++refusals;
    }
    if (tried.line("append") == "ok") ++records;
    was_enough = tried.line("append") == "ok" && tried.line("close") == "ok";
    CHECK(attempt(path, {.mode = OpenMode::read_only}).line("read") == std::to_string(records));
  }
  CHECK(refusals > 0);
  CHECK(was_enough);
}

}  // namespace
}  // namespace seriatim
