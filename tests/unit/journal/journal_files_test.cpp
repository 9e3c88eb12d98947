#include "journal/journal_files.hpp"

#include <algorithm>

#include "unit/journal/journal_fixture.hpp"

namespace seriatim::test {
namespace {

using journal::JournalFiles;

// The steps done to the file system, in order, with the last part of each path.
struct FilesFixture {
  explicit FilesFixture(journal::JournalContents contents = {})
      : options(world.options()), files(options, contents), found(std::move(contents)) {
    world.vfs.before_change = [this](std::string_view what, const std::string& path) -> Result<void> {
      calls.push_back(std::string(what) + " " + path.substr(path.rfind('/') + 1));
      if (refused != "" && calls.back().starts_with(refused))
        return Error(refusal, path + ": refused by the test");
      return {};
    };
  }
  journal::ReadyFile take() {
    auto ready = files.take_next();
    if (!ready) FAIL(ready.error().message());
    return *std::move(ready);
  }
  std::size_t called(std::string_view call) const {
    return static_cast<std::size_t>(std::find(calls.begin(), calls.end(), call) - calls.begin());
  }

  JournalWorld world{};
  std::vector<std::string> calls{};
  std::string refused{};
  Errc refusal = Errc::io_error;
  journal::JournalOptions options;
  JournalFiles files;
  journal::JournalContents found;
};

TEST_CASE("a new file has its name when every byte of it is synced, and is given when its name is") {
  FilesFixture f;
  CHECK(f.calls.empty());
  const auto ready = f.take();
  CHECK(ready.number == 1);
  const std::size_t written = f.calls.size() - 3;
  CHECK(f.calls[written] == "sync 00000000000000000001.journal.tmp");
  CHECK(f.calls[written + 1] == "rename 00000000000000000001.journal.tmp");
  CHECK(f.calls[written + 2] == "sync directory journal");
  CHECK(f.called("create directory journal") < f.called("sync directory data"));
  CHECK(f.called("sync directory data") < f.called("create 00000000000000000001.journal.tmp"));
  CHECK(f.world.vfs.bytes(f.world.path(1)) == std::vector<std::byte>(f.options.file_bytes));
  CHECK(f.take().number == 2);
}

TEST_CASE("the file with the frame that is to be kept stays, and those behind it") {
  FilesFixture f;
  for (std::uint64_t number = 1; number <= 3; ++number) {
    REQUIRE(f.take().number == number);
    f.files.begin(number, number * 10);
    f.files.extend(number * 10 + 9, 100);
  }
  CHECK(f.files.stored_lsn(9) == 0);
  CHECK(f.files.stored_lsn(25) == 25);
  CHECK(f.files.stored_lsn(1000) == 39);
  f.files.end();
  REQUIRE(f.files.recycle_below(1000, 25));
  CHECK(f.files.counts().files == 2);
  CHECK(f.files.stored_lsn(25) == 25);
  REQUIRE(f.files.recycle_below(1000, 39));
  CHECK(f.files.counts().files == 1);
  REQUIRE(f.files.recycle_below(1000, 0));
  CHECK(f.files.counts().files == 0);
  CHECK(f.files.stored_lsn(1000) == 0);
}

TEST_CASE("a file prepared ahead costs the one who takes it no change at all") {
  FilesFixture f;
  REQUIRE(f.files.prepare_next());
  REQUIRE(f.files.prepare_next());
  CHECK(f.files.counts().spare_files == 1);
  f.calls.clear();
  CHECK(f.take().number == 1);
  CHECK(f.calls.empty());
}

TEST_CASE("a file that could not be prepared leaves nothing behind, and the next attempt succeeds") {
  for (const char* step : {"create directory", "sync directory data", "create 0", "truncate", "allocate",
                           "write", "sync 0", "rename", "sync directory journal"}) {
    FilesFixture f;
    f.refused = step;
    f.refusal = Errc::storage_full;
    const auto ready = f.files.take_next();
    REQUIRE_FALSE(ready);
    CHECK(ready.error().code() == Errc::storage_full);
    const auto left = f.world.vfs.paths();
    const bool is_clean = left.empty() || (std::string_view(step) == "rename" && left.size() == 1) ||
                          std::string_view(step) == "sync directory journal";
    CHECK_MESSAGE(is_clean, step);
    f.refused.clear();
    CHECK(f.take().file != nullptr);
  }
}

TEST_CASE(
    "no new file takes blocks that are kept for something else; a file that is there is used all the same") {
  FilesFixture f;
  bool may_take = false;
  f.options.before_taking = [&]() -> Result<void> {
    if (may_take) return {};
    return Error(Errc::storage_full, "kept (by the test); nothing to be done");
  };
  const auto refused = f.files.take_next();
  CHECK((!refused && refused.error().code() == Errc::storage_full));
  CHECK(f.called("create 00000000000000000001.journal.tmp") == f.calls.size());
  may_take = true;
  REQUIRE(f.files.prepare_next());
  may_take = false;
  CHECK(f.take().number == 1);
}

TEST_CASE("files below the checkpoint become later files by name; the one being written stays") {
  FilesFixture f;
  for (std::uint64_t i = 0; i < 3; ++i) {
    f.files.begin(f.take().number, 1 + 10 * i);
    f.files.extend(10 + 10 * i, 2000);
  }
  f.calls.clear();
  REQUIRE(f.files.recycle_below(11));
  CHECK(f.calls == std::vector<std::string>{"rename 00000000000000000001.journal", "sync directory journal"});
  CHECK(f.files.counts().files == 2);
  CHECK(f.files.counts().used_bytes == 4000);
  REQUIRE(f.files.recycle_below(1000));
  CHECK(f.files.counts().files == 1);
  CHECK(f.files.counts().spare_files == 2);
  f.calls.clear();
  CHECK(f.take().number == 4);
  CHECK(f.take().number == 5);
  CHECK(f.calls.empty());
  f.files.end();
  REQUIRE(f.files.recycle_below(1000));
  CHECK(f.files.counts().files == 0);
  CHECK(f.take().number == 6);
}

TEST_CASE("a checkpoint between two frames of a file keeps it") {
  FilesFixture f;
  f.files.begin(f.take().number, 1);
  f.files.extend(10, 2000);
  f.files.end();
  REQUIRE(f.files.recycle_below(10));
  CHECK(f.files.counts().files == 1);
}

TEST_CASE("more files than are kept for later, and files of another length, give their space back") {
  FilesFixture f({.files = {{1, 1, 10, 4096, 2000},
                            {2, 11, 20, 65536, 2000},
                            {3, 21, 30, 65536, 2000},
                            {4, 31, 40, 65536, 2000}},
                  .next_lsn = 41,
                  .next_file_number = 5,
                  .directory_exists = true});
  REQUIRE(f.world.vfs.create_directory(f.options.directory));
  for (std::uint64_t number = 1; number <= 4; ++number) {
    REQUIRE(f.world.vfs.open(f.world.path(number), os::OpenMode::create_new));
  }
  f.calls.clear();
  REQUIRE(f.files.recycle_below(41));
  CHECK(f.calls == std::vector<std::string>{"remove 00000000000000000001.journal",
                                            "rename 00000000000000000002.journal",
                                            "rename 00000000000000000003.journal",
                                            "remove 00000000000000000004.journal", "sync directory journal"});
}

TEST_CASE(
    "as many files stay as are used between two checkpoints; what a burst leaves goes with the next but "
    "one") {
  FilesFixture f;
  const auto use = [&](std::uint64_t count, std::uint64_t first) {
    for (std::uint64_t i = 0; i < count; ++i) {
      f.files.begin(f.take().number, first + i);
      f.files.extend(first + i, 2000);
    }
    f.files.end();
  };
  use(5, 1);
  REQUIRE(f.files.recycle_below(6));
  CHECK(f.files.counts().spare_files == 5);
  f.calls.clear();
  use(5, 6);
  CHECK(f.calls.empty());
  REQUIRE(f.files.recycle_below(11));
  CHECK(f.files.counts().spare_files == 5);
  REQUIRE(f.files.recycle_below(11));
  CHECK(f.files.counts().spare_files == 2);
  use(4, 11);
  REQUIRE(f.files.recycle_below(15));
  CHECK(f.files.counts().spare_files == 4);
  REQUIRE(f.files.remove_excess());
  CHECK(f.files.counts().spare_files == 2);
  use(2, 15);
}

TEST_CASE("on a disk without room for a journal file no more are kept than a quiet journal has") {
  FilesFixture f;
  bool may_take = true;
  f.options.before_taking = [&]() -> Result<void> {
    if (may_take) return {};
    return Error(Errc::storage_full, "kept (by the test); nothing to be done");
  };
  for (std::uint64_t i = 0; i < 5; ++i) {
    f.files.begin(f.take().number, 1 + i);
    f.files.extend(1 + i, 2000);
  }
  f.files.end();
  may_take = false;
  CHECK(f.files.take_next().error().code() == Errc::storage_full);
  REQUIRE(f.files.recycle_below(6));
  CHECK(f.files.counts().spare_files == 2);
}

TEST_CASE(
    "what could not be recycled is tried again, and a renamed file is not given before its name is durable") {
  FilesFixture f;
  for (std::uint64_t i = 0; i < 3; ++i) {
    f.files.begin(f.take().number, 1 + 10 * i);
    f.files.extend(10 + 10 * i, 2000);
  }
  f.refused = "rename 00000000000000000002";
  CHECK(f.files.recycle_below(21).error().code() == Errc::io_error);
  CHECK(f.files.counts().files == 2);
  CHECK(f.files.counts().spare_files == 1);
  f.refused = "sync directory";
  f.refusal = Errc::storage_failed;
  CHECK(f.files.recycle_below(21).error().code() == Errc::storage_failed);
  CHECK(f.files.counts().spare_files == 1);
}

TEST_CASE("at open, leftovers and files out of turn go, what fits is used, and names are made durable") {
  FilesFixture f({.files = {{3, 1, 10, 65536, 2000}},
                  .spares = {{2, 65536}, {4, 65536}, {5, 1 << 20}, {6, 65536}, {7, 65536}},
                  .leftovers = {"00000000000000000008.journal.tmp"},
                  .next_lsn = 11,
                  .next_file_number = 8,
                  .directory_exists = true});
  REQUIRE(f.world.vfs.create_directory(f.options.directory));
  for (std::uint64_t number = 2; number <= 7; ++number) {
    REQUIRE(f.world.vfs.open(f.world.path(number), os::OpenMode::create_new));
    f.world.vfs.bytes(f.world.path(number)).resize(f.options.file_bytes);
  }
  REQUIRE(f.world.vfs.open(f.world.path(8) + ".tmp", os::OpenMode::create_new));
  f.calls.clear();
  REQUIRE(f.files.tidy_up(f.found));
  CHECK(f.calls == std::vector<std::string>{"remove 00000000000000000008.journal.tmp",
                                            "remove 00000000000000000002.journal",
                                            "remove 00000000000000000005.journal",
                                            "remove 00000000000000000007.journal", "sync directory journal"});
  CHECK(f.take().number == 4);
  CHECK(f.take().number == 6);
  CHECK(f.take().number == 8);
}

}  // namespace
}  // namespace seriatim::test
