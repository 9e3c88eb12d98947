#include "segment/transaction_index.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "os/posix_vfs.hpp"
#include "support/failing_vfs.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::test {
namespace {

using format::AbortedTransaction;
using segment::TransactionIndex;

constexpr Offset base = 100;

struct IndexFixture {
  explicit IndexFixture(os::Vfs& files_of = os::posix_vfs()) : vfs(files_of) {}
  TransactionIndex open() { return {{vfs, files}, path, base}; }

  TempDir temp;
  os::Vfs& vfs;
  os::FdCache files{vfs, 16};
  std::string path = temp / "00000000000000000100.txnindex";
};

AbortedTransaction aborted(Offset first, Offset marker, Offset stable) {
  return {.producer_id = 7, .first_offset = first, .last_offset = marker, .last_stable_offset = stable};
}

std::vector<AbortedTransaction> overlapping(TransactionIndex& index, Offset from, Offset upper) {
  std::vector<AbortedTransaction> found;
  REQUIRE(index.collect(from, upper, found).ok());
  return found;
}

TEST_CASE("a segment in which nothing was aborted has no transaction index") {
  IndexFixture f;
  auto index = f.open();
  CHECK(overlapping(index, 0, 1'000).empty());
  CHECK(index.sync().ok());
  CHECK_FALSE(std::filesystem::exists(f.path));
}

TEST_CASE("a look returns what overlaps, and ends where nothing later can") {
  IndexFixture f;
  auto index = f.open();
  const auto a = aborted(90, 110, 105);
  const auto b = aborted(105, 120, 121);
  const auto c = aborted(125, 130, 131);
  for (const auto& entry : {a, b, c}) REQUIRE(index.append(entry).ok());
  CHECK(overlapping(index, 100, 140) == std::vector{a, b, c});
  CHECK(overlapping(index, 111, 125) == std::vector{b});
  CHECK(overlapping(index, 131, 140).empty());
  std::vector<AbortedTransaction> found;
  CHECK(index.collect(100, 121, found).value());
  CHECK_FALSE(index.collect(100, 140, found).value());
  // What another process, or the next life of this one, reads.
  auto again = f.open();
  CHECK(overlapping(again, 100, 140) == std::vector{a, b, c});
  CHECK(std::filesystem::file_size(f.path) == 3 * format::aborted_transaction_bytes);
}

TEST_CASE("an index grows under the eyes of a reader, who leaves out a part of an entry") {
  IndexFixture f;
  auto writer = f.open();
  auto reader = f.open();
  REQUIRE(writer.append(aborted(100, 110, 111)).ok());
  CHECK(overlapping(reader, 0, 1'000).size() == 1);
  REQUIRE(writer.append(aborted(111, 112, 113)).ok());
  CHECK(overlapping(reader, 0, 1'000).size() == 2);
  std::ofstream(f.path, std::ios::app | std::ios::binary) << "torn";
  auto later = f.open();
  CHECK(overlapping(later, 0, 1'000).size() == 2);
}

TEST_CASE("recovery makes the end of an index what the log says, and leaves one that says so alone") {
  IndexFixture f;
  const auto a = aborted(100, 110, 111);
  const auto b = aborted(111, 112, 113);
  const auto c = aborted(113, 114, 115);
  {
    auto index = f.open();
    for (const auto& entry : {a, b}) REQUIRE(index.append(entry).ok());
  }
  const auto before = std::filesystem::last_write_time(f.path);
  auto index = f.open();
  REQUIRE(index.replace_from(112, {b}).ok());
  CHECK(std::filesystem::last_write_time(f.path) == before);
  REQUIRE(index.replace_from(111, {c}).ok());
  CHECK(overlapping(index, 0, 1'000) == std::vector{a, c});
  REQUIRE(index.cut_from(111).ok());
  CHECK(overlapping(index, 0, 1'000) == std::vector{a});
  CHECK(std::filesystem::file_size(f.path) == format::aborted_transaction_bytes);
}

TEST_CASE("an index that makes no sense is refused, with its path") {
  IndexFixture f;
  {
    auto index = f.open();
    REQUIRE(index.append(aborted(100, 110, 111)).ok());
    REQUIRE(index.append(aborted(111, 112, 113)).ok());
  }
  std::fstream(f.path, std::ios::in | std::ios::out | std::ios::binary).seekp(34).write("\x01", 1);
  auto index = f.open();
  std::vector<AbortedTransaction> found;
  const auto collected = index.collect(0, 1'000, found);
  REQUIRE_FALSE(collected.ok());
  CHECK(collected.error().code() == Errc::corrupt_metadata);
  CHECK(collected.error().message().find(f.path) != std::string::npos);
}

TEST_CASE("an entry that cannot be written is not there") {
  FailingVfs vfs;
  IndexFixture f(vfs);
  auto index = f.open();
  REQUIRE(index.append(aborted(100, 110, 111)).ok());
  vfs.fail_after(0);
  CHECK_FALSE(index.append(aborted(111, 112, 113)).ok());
  vfs.heal();
  CHECK(overlapping(index, 0, 1'000).size() == 1);
  REQUIRE(index.append(aborted(111, 112, 113)).ok());
  CHECK(index.sync().ok());
  CHECK(overlapping(index, 0, 1'000).size() == 2);
}

}  // namespace
}  // namespace seriatim::test
