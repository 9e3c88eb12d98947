#include "os/file/fd_cache.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "os/file/posix_vfs.hpp"
#include "os/process.hpp"
#include "support/random.hpp"
#include "support/temp_dir.hpp"

using namespace seriatim;
using namespace seriatim::os;
using test::TempDir;

namespace {

// Passes everything on, and says "too many open files" for the next `refusals` opens.
class RefusingVfs final : public Vfs {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    ++opens;
    if (refusals > 0) {
      --refusals;
      return Error(Errc::too_many_open_files, "refused by the test");
    }
    return posix_vfs().open(path, mode);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    return posix_vfs().rename(from, to);
  }
  Result<void> remove(const std::string& path) override { return posix_vfs().remove(path); }
  Result<void> create_directory(const std::string& path) override {
    return posix_vfs().create_directory(path);
  }
  Result<void> remove_directory(const std::string& path) override {
    return posix_vfs().remove_directory(path);
  }
  Result<std::vector<DirEntry>> list(const std::string& path) override { return posix_vfs().list(path); }
  Result<void> sync_directory(const std::string& path) override { return posix_vfs().sync_directory(path); }
  Result<bool> exists(const std::string& path) override { return posix_vfs().exists(path); }
  Result<FileSystem> file_system(const std::string& path) override { return posix_vfs().file_system(path); }

  int opens = 0;
  int refusals = 0;
};

// Descriptors of this process that lead into `directory`.
std::size_t open_descriptors_in(const std::string& directory) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code is_gone;  // the descriptor of the iterator itself
    if (std::filesystem::read_symlink(entry.path(), is_gone).string().starts_with(directory + "/")) ++count;
  }
  return count;
}

void create_files(const TempDir& dir, int count) {
  for (int i = 0; i < count; ++i) REQUIRE(posix_vfs().open(dir / std::to_string(i), OpenMode::create_new));
}

}  // namespace

TEST_CASE("many files pass through a cache that never has more than its capacity open") {
  const TempDir dir;
  create_files(dir, 200);
  FdCache cache(posix_vfs(), 8);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 200; ++i) {
      REQUIRE(cache.open(dir / std::to_string(i), OpenMode::read));
      REQUIRE(cache.size() <= 8);
    }
  }
  CHECK(cache.size() == 8);
  CHECK(open_descriptors_in(dir.path()) == 8);
}

TEST_CASE("an open file is shared and costs no second open") {
  const TempDir dir;
  create_files(dir, 1);
  RefusingVfs vfs;
  FdCache cache(vfs, 4);
  const auto first = cache.open(dir / "0", OpenMode::read_write);
  const auto second = cache.open(dir / "0", OpenMode::read);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(*first == *second);
  CHECK(vfs.opens == 1);
}

TEST_CASE("a file opened to read is opened again to write, and replaces the first") {
  const TempDir dir;
  create_files(dir, 1);
  RefusingVfs vfs;
  FdCache cache(vfs, 4);
  const auto reader = cache.open(dir / "0", OpenMode::read);
  const auto writer = cache.open(dir / "0", OpenMode::read_write);
  REQUIRE(writer);
  CHECK(*reader != *writer);
  CHECK((*writer)->write_at(base::as_bytes("x"), 0).ok());
  CHECK(*(*reader)->size() == 1);
  CHECK(*cache.open(dir / "0", OpenMode::read) == *writer);
  CHECK(cache.size() == 1);
}

TEST_CASE("the least recently used file is closed first") {
  const TempDir dir;
  create_files(dir, 3);
  RefusingVfs vfs;
  FdCache cache(vfs, 2);
  REQUIRE(cache.open(dir / "0", OpenMode::read));
  REQUIRE(cache.open(dir / "1", OpenMode::read));
  REQUIRE(cache.open(dir / "0", OpenMode::read));
  REQUIRE(cache.open(dir / "2", OpenMode::read));
  CHECK(vfs.opens == 3);
  REQUIRE(cache.open(dir / "0", OpenMode::read));
  CHECK(vfs.opens == 3);
  REQUIRE(cache.open(dir / "1", OpenMode::read));
  CHECK(vfs.opens == 4);
}

TEST_CASE("a file somebody holds stays shared beyond the capacity and goes when it is let go") {
  const TempDir dir;
  create_files(dir, 6);
  FdCache cache(posix_vfs(), 2);
  std::vector<std::shared_ptr<File>> held;
  for (int i = 0; i < 5; ++i) held.push_back(*cache.open(dir / std::to_string(i), OpenMode::read));
  CHECK(cache.size() == 5);
  CHECK(*cache.open(dir / "0", OpenMode::read) == held[0]);
  held.clear();
  REQUIRE(cache.open(dir / "5", OpenMode::read));
  CHECK(cache.size() == 2);
  CHECK(open_descriptors_in(dir.path()) == 2);
}

TEST_CASE("a forgotten name is opened anew, and its old holder keeps the old file") {
  const TempDir dir;
  create_files(dir, 2);
  FdCache cache(posix_vfs(), 4);
  const auto old = cache.open(dir / "0", OpenMode::read_write);
  REQUIRE(old);
  REQUIRE((*old)->write_at(base::as_bytes("old"), 0));
  REQUIRE(posix_vfs().rename(dir / "1", dir / "0"));
  cache.forget(dir / "0");
  cache.forget(dir / "never opened");
  CHECK(cache.size() == 0);
  const auto fresh = cache.open(dir / "0", OpenMode::read);
  REQUIRE(fresh);
  CHECK(*(*fresh)->size() == 0);
  CHECK(*(*old)->size() == 3);
}

TEST_CASE("forget_below lets go of the files of a directory that was renamed, and of no other") {
  const TempDir dir;
  FdCache cache(posix_vfs(), 8);
  for (const char* name : {"a", "ab"}) REQUIRE(posix_vfs().create_directory(dir / name));
  for (const char* name : {"a/0", "a/1", "ab/0", "0"})
    REQUIRE(cache.open(dir / name, OpenMode::open_or_create));
  cache.forget_below(dir / "a");
  CHECK(cache.size() == 2);
}

TEST_CASE("create_new never returns a cached file") {
  const TempDir dir;
  FdCache cache(posix_vfs(), 4);
  REQUIRE(cache.open(dir / "0", OpenMode::create_new));
  CHECK(cache.open(dir / "0", OpenMode::create_new).error().code() == Errc::io_error);
  REQUIRE(posix_vfs().remove(dir / "0"));
  const auto fresh = cache.open(dir / "0", OpenMode::create_new);
  REQUIRE(fresh);
  CHECK(*cache.open(dir / "0", OpenMode::read_write) == *fresh);
  CHECK(cache.size() == 1);
}

TEST_CASE("when descriptors run out, idle files are closed and the open is tried once more") {
  const TempDir dir;
  create_files(dir, 11);
  RefusingVfs vfs;
  FdCache cache(vfs, 100);
  for (int i = 0; i < 10; ++i) REQUIRE(cache.open(dir / std::to_string(i), OpenMode::read));
  const auto held = cache.open(dir / "0", OpenMode::read);
  vfs.refusals = 1;
  REQUIRE(cache.open(dir / "10", OpenMode::read));
  CHECK(cache.size() == 6);  // half of nine idle ones, rounded up, went
  CHECK(*cache.open(dir / "0", OpenMode::read) == *held);
  vfs.refusals = 2;
  CHECK(cache.open(dir / "1", OpenMode::read).error().code() == Errc::too_many_open_files);
  CHECK(vfs.refusals == 0);
}

TEST_CASE("an error is passed on and leaves nothing in the cache") {
  const TempDir dir;
  FdCache cache(posix_vfs(), 4);
  CHECK(cache.open(dir / "missing", OpenMode::read).error().code() == Errc::not_found);
  CHECK(cache.size() == 0);
}

TEST_CASE("the default capacity leaves most descriptors to the application") {
  CHECK(FdCache::default_capacity() >= 16);
  CHECK(FdCache::default_capacity() <= 512);
  CHECK(FdCache::default_capacity() <= std::max<std::uint64_t>(16, open_files_max() / 4));
}

TEST_CASE("threads share the cache: every one reads the file it asked for") {
  const TempDir dir;
  for (int i = 0; i < 20; ++i) {
    const auto file = posix_vfs().open(dir / std::to_string(i), OpenMode::create_new);
    REQUIRE(file);
    REQUIRE((*file)->write_at(base::as_bytes(std::to_string(i)), 0));
  }
  FdCache cache(posix_vfs(), 4);
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&cache, &dir, &wrong, t] {
        for (int n = 0; n < 500; ++n) {
          const std::string name = std::to_string((n * 7 + t) % 20);
          std::byte bytes[8];
          const auto file = cache.open(dir / name, OpenMode::read);
          const auto read = file ? (*file)->read_at(bytes, 0) : Result<std::size_t>(file.error());
          if (!read || base::as_text(base::ByteSpan(bytes).first(*read)) != name) ++wrong;
          if (n % 50 == 0) cache.forget(dir / name);
        }
      });
    }
  }
  CHECK(wrong == 0);
  CHECK(cache.size() <= 4 + 3);
}
