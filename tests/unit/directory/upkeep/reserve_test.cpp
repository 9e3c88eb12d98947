#include "directory/upkeep/reserve.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "os/errno_error.hpp"
#include "support/log_builder.hpp"
#include "support/passing_vfs.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::directory {
namespace {

using test::code_of;
using test::must;
using test::TempDir;

namespace fs = std::filesystem;

// Has no block left as long as it is told so.
class FullVfs final : public test::PassingVfs {
 public:
  bool is_full = false;
  std::uint64_t room = ~std::uint64_t{0};  ///< For the file that asks.

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    return open_as<FullFile>(path, mode, *this);
  }

 private:
  class FullFile final : public test::PassingFile {
   public:
    FullFile(std::unique_ptr<os::File> file, FullVfs& vfs) : PassingFile(std::move(file)), vfs_(vfs) {}
    Result<void> allocate(std::uint64_t at, std::uint64_t length) override {
      if (vfs_.is_full || length > vfs_.room) return os::errno_error(ENOSPC, "allocate", path());
      return PassingFile::allocate(at, length);
    }

   private:
    FullVfs& vfs_;
  };
};

struct Made {
  TempDir directory;
  FullVfs vfs;
  std::string path = directory / reserve_file_name;
  Reserve reserve{vfs, directory.path()};
};

Error full() { return Error(Errc::storage_full, "full (by the test); nothing to be done"); }

}  // namespace

TEST_CASE("the reserve has real blocks, of zeros") {
  Made made;
  must(made.reserve.make());
  struct stat status {};
  REQUIRE(::stat(made.path.c_str(), &status) == 0);
  CHECK(static_cast<std::uint64_t>(status.st_size) == reserve_bytes);
  CHECK(static_cast<std::uint64_t>(status.st_blocks) * 512 >= reserve_bytes);
  const auto bytes = test::read_file(made.path);
  CHECK(std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; }));
}

TEST_CASE("work that meets a full disk is done again without the reserve, which is made again behind it") {
  Made made;
  must(made.reserve.make());
  int calls = 0;
  const auto work = [&]() -> Result<int> {
    ++calls;
    if (fs::file_size(made.path) > 0) return full();
    return 7;
  };
  CHECK(must(made.reserve.spend_on(work)) == 7);
  CHECK(calls == 2);
  CHECK(fs::file_size(made.path) == reserve_bytes);
}

TEST_CASE("work that fails for another reason, or where there is no reserve, is not repeated") {
  Made made;
  int calls = 0;
  const auto work = [&](Errc code) {
    return [&calls, code]() -> Result<> {
      ++calls;
      return Error(code, "failed (by the test); nothing to be done");
    };
  };
  CHECK(code_of(made.reserve.spend_on(work(Errc::storage_full))) == Errc::storage_full);
  CHECK(calls == 1);
  must(made.reserve.make());
  CHECK(code_of(made.reserve.spend_on(work(Errc::io_error))) == Errc::io_error);
  CHECK(calls == 2);
  CHECK(fs::file_size(made.path) == reserve_bytes);
}

TEST_CASE("while it is spent appenders take no block, and make it again as soon as there is room") {
  Made made;
  must(made.reserve.make());
  must(made.reserve.before_taking());
  made.vfs.is_full = true;
  {
    const Reserve::Spending spending(made.reserve);
    CHECK(spending.has_given());
    made.vfs.is_full = false;
    CHECK(code_of(made.reserve.before_taking()) == Errc::storage_full);
    CHECK(fs::file_size(made.path) == 0);
    made.vfs.is_full = true;
  }
  CHECK(code_of(made.reserve.before_taking()) == Errc::storage_full);
  made.vfs.is_full = false;
  must(made.reserve.before_taking());
  CHECK(fs::file_size(made.path) == reserve_bytes);
}

TEST_CASE(
    "nothing is given up while somebody takes blocks who asked before: he would take what is given up") {
  Made made;
  must(made.reserve.make());
  must(made.reserve.begin_taking());
  std::atomic<bool> has_given{false};
  std::thread spender([&] {
    const Reserve::Spending spending(made.reserve);
    has_given = spending.has_given();
    CHECK(fs::file_size(made.path) == 0);
    CHECK(code_of(made.reserve.begin_taking()) == Errc::storage_full);
  });
  // He has begun to spend: nobody else may begin to take. And he waits.
  CHECK(test::comes_true([&] { return !made.reserve.before_taking(); }));
  CHECK(code_of(made.reserve.begin_taking()) == Errc::storage_full);
  CHECK(fs::file_size(made.path) == reserve_bytes);
  CHECK_FALSE(has_given);
  made.reserve.end_taking();
  spender.join();
  CHECK(has_given);
  CHECK(fs::file_size(made.path) == reserve_bytes);
}

TEST_CASE("what a spender leaves is kept, and given up to the next one, until there is room for the whole") {
  Made made;
  must(made.reserve.make());
  constexpr std::uint64_t piece = reserve_bytes / 16;
  made.vfs.room = reserve_bytes - piece - 1;  // The catalog has grown by so much and a byte.
  { const Reserve::Spending spending(made.reserve); }
  CHECK(fs::file_size(made.path) == reserve_bytes - 2 * piece);
  CHECK(code_of(made.reserve.before_taking()) == Errc::storage_full);
  CHECK(fs::file_size(made.path) == reserve_bytes - 2 * piece);
  {
    const Reserve::Spending spending(made.reserve);
    CHECK(spending.has_given());
    CHECK(fs::file_size(made.path) == 0);
  }
  CHECK(fs::file_size(made.path) == reserve_bytes - 2 * piece);
  made.vfs.room = reserve_bytes;
  must(made.reserve.before_taking());
  CHECK(fs::file_size(made.path) == reserve_bytes);
}

TEST_CASE("a reserve that an earlier run spent is owed: the next run appends when it could be made again") {
  Made made;
  must(made.reserve.make());
  made.vfs.is_full = true;
  { const Reserve::Spending spending(made.reserve); }
  Reserve next(made.vfs, made.directory.path());
  CHECK(code_of(next.make()) == Errc::storage_full);
  CHECK(code_of(next.before_taking()) == Errc::storage_full);
  made.vfs.is_full = false;
  must(next.before_taking());
  CHECK(fs::file_size(made.path) == reserve_bytes);
}

TEST_CASE("a disk that is too small for a reserve is used without one") {
  Made made;
  made.vfs.is_full = true;
  CHECK(code_of(made.reserve.make()) == Errc::storage_full);
  CHECK_FALSE(fs::exists(made.path));
  must(made.reserve.before_taking());
}

TEST_CASE("every writer makes it, also in a directory that has none; who only reads does without") {
  const TempDir dir;
  const std::string path = dir / "data/RESERVE";
  must(test::open_engine(dir / "data").close());
  CHECK(fs::file_size(path) == reserve_bytes);
  fs::remove(path);
  must(test::open_engine(dir / "data", {.mode = OpenMode::read_only}).close());
  CHECK_FALSE(fs::exists(path));
  must(test::open_engine(dir / "data").close());
  CHECK(fs::file_size(path) == reserve_bytes);
}

}  // namespace seriatim::directory
