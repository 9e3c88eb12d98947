#include "segment/index/transaction_index.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <filesystem>
#include <optional>

#include "os/file/posix_vfs.hpp"
#include "support/failing_vfs.hpp"
#include "support/log_builder.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::test {
namespace {

using format::AbortedTransaction;
using format::TransactionSeal;
using segment::TransactionIndex;

constexpr Offset base = 100;

struct IndexFixture {
  explicit IndexFixture(os::Vfs& files_of = os::posix_vfs()) : vfs(files_of) {}
  TransactionIndex open() { return {{vfs, files}, path, base}; }
  /// Of a segment that is new.
  TransactionIndex& appended() {
    auto& made = indexes.emplace_back(segment::SegmentContext{vfs, files}, path, base);
    made.note_from(base);
    return made;
  }

  TempDir temp;
  os::Vfs& vfs;
  os::FdCache files{vfs, 16};
  std::string path = temp / "00000000000000000100.txnindex";
  std::deque<TransactionIndex> indexes{};
};

AbortedTransaction aborted(Offset first, Offset marker, Offset stable) {
  return {.producer_id = 7, .first_offset = first, .last_offset = marker, .last_stable_offset = stable};
}

constexpr std::uint64_t log_bytes = 5'000;

/// Of a log of so many bytes; nothing if it is not known.
std::optional<std::vector<AbortedTransaction>> known(TransactionIndex& index, Offset from, Offset upper,
                                                     std::uint64_t bytes = log_bytes) {
  std::vector<AbortedTransaction> found;
  const auto end = index.collect({.from = from, .upper = upper, .log_bytes = bytes}, found);
  REQUIRE(end.ok());
  return *end ? std::optional(found) : std::nullopt;
}
std::vector<AbortedTransaction> overlapping(TransactionIndex& index, Offset from, Offset upper) {
  auto found = known(index, from, upper);
  REQUIRE(found.has_value());
  return *std::move(found);
}

TransactionSeal seal_of(Offset end, Offset first_open, std::uint64_t bytes = log_bytes) {
  return {.log_bytes = bytes, .end_offset = end, .first_open_offset = first_open};
}

TEST_CASE("a segment in which nothing was aborted needs no transaction index") {
  IndexFixture f;
  auto& index = f.appended();
  CHECK(overlapping(index, 0, 1'000).empty());
  CHECK(index.sync().ok());
  CHECK_FALSE(std::filesystem::exists(f.path));
}

TEST_CASE("a look returns what overlaps") {
  IndexFixture f;
  auto& index = f.appended();
  const auto a = aborted(90, 110, 105);
  const auto b = aborted(105, 120, 121);
  const auto c = aborted(125, 130, 131);
  for (const auto& entry : {a, b, c}) REQUIRE(index.append(entry).ok());
  CHECK(overlapping(index, 100, 140) == std::vector{a, b, c});
  CHECK(overlapping(index, 111, 125) == std::vector{b});
  CHECK(overlapping(index, 131, 140).empty());
  CHECK(std::filesystem::file_size(f.path) == 3 * format::aborted_transaction_bytes);
}

TEST_CASE("INV-8: without a seal it is not known what was aborted, whatever the file says") {
  IndexFixture f;
  auto missing = f.open();
  CHECK_FALSE(known(missing, 0, 1'000));
  REQUIRE(f.appended().append(aborted(100, 110, 111)).ok());
  auto unsealed = f.open();
  CHECK_FALSE(known(unsealed, 0, 1'000));
}

TEST_CASE("INV-8: a sealed index is believed of the log that it was made for") {
  IndexFixture f;
  const auto a = aborted(100, 110, 105);
  {
    auto& index = f.appended();
    REQUIRE(index.append(a).ok());
    REQUIRE(index.seal(seal_of(120, 105)).ok());
    REQUIRE(index.sync().ok());
  }
  auto index = f.open();
  std::vector<AbortedTransaction> found;
  const auto end = index.collect({.from = 100, .upper = 1'000, .log_bytes = log_bytes}, found);
  REQUIRE(end.ok());
  REQUIRE(end->has_value());
  CHECK(**end == seal_of(120, 105));
  CHECK(found == std::vector{a});
  auto shorter = f.open();
  CHECK_FALSE(known(shorter, 0, 1'000, log_bytes - 1));
  // Of a longer one it tells up to its end.
  auto longer = f.open();
  CHECK_FALSE(known(longer, 0, 1'000, log_bytes + 1));
  found.clear();
  const auto front =
      longer.collect({.from = 100, .upper = 1'000, .log_bytes = log_bytes + 1, .markers_below = 120}, found);
  REQUIRE(front.ok());
  CHECK(front->has_value());
  CHECK(found == std::vector{a});
}

TEST_CASE("INV-8: a sealed index with any bit flipped, or cut anywhere, is not believed") {
  IndexFixture f;
  {
    auto& index = f.appended();
    REQUIRE(index.append(aborted(100, 110, 105)).ok());
    REQUIRE(index.append(aborted(105, 112, 113)).ok());
    REQUIRE(index.seal(seal_of(120, 120)).ok());
  }
  const auto right = read_file(f.path);
  for (std::size_t bit = 0; bit < right.size() * 8; ++bit) {
    auto bytes = right;
    bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    write_file(f.path, bytes);
    auto index = f.open();
    CAPTURE(bit);
    CHECK_FALSE(known(index, 0, 1'000));
  }
  for (std::size_t size = 0; size < right.size(); ++size) {
    write_file(f.path, base::ByteSpan(right).first(size));
    auto index = f.open();
    CAPTURE(size);
    CHECK_FALSE(known(index, 0, 1'000));
  }
}

TEST_CASE("an index whose segment goes on loses its seal with the next entry, and gets another") {
  IndexFixture f;
  const auto a = aborted(100, 110, 111);
  const auto b = aborted(130, 140, 141);
  {
    auto& index = f.appended();
    REQUIRE(index.append(a).ok());
    REQUIRE(index.seal(seal_of(120, 120)).ok());
  }
  {
    auto index = f.open();
    index.note_from(120);
    CHECK(overlapping(index, 0, 1'000) == std::vector{a});
    REQUIRE(index.append(b).ok());
    CHECK(std::filesystem::file_size(f.path) == 2 * format::aborted_transaction_bytes);
    CHECK(known(index, 0, 1'000, log_bytes + 100) == std::vector{a, b});
    REQUIRE(index.seal(seal_of(150, 150, log_bytes + 100)).ok());
  }
  auto again = f.open();
  CHECK(known(again, 0, 1'000, log_bytes + 100) == std::vector{a, b});
}

TEST_CASE("a seal that is there already is not written again") {
  IndexFixture f;
  REQUIRE(f.appended().seal(seal_of(120, 120)).ok());
  const auto before = std::filesystem::last_write_time(f.path);
  auto index = f.open();
  index.note_from(120);
  REQUIRE(index.seal(seal_of(120, 120)).ok());
  CHECK(std::filesystem::last_write_time(f.path) == before);
}

TEST_CASE("INV-8: what was never proved is not sealed, and is once the log has told") {
  IndexFixture f;
  const auto a = aborted(100, 110, 111);
  const auto b = aborted(130, 140, 141);
  REQUIRE(f.appended().append(aborted(101, 110, 111)).ok());  // one bit off, without a seal
  auto index = f.open();
  index.note_from(120);
  REQUIRE(index.append(b).ok());
  CHECK_FALSE(known(index, 0, 1'000));
  CHECK(overlapping(index, 120, 1'000) == std::vector{b});
  REQUIRE(index.seal(seal_of(150, 150)).ok());
  CHECK(std::filesystem::file_size(f.path) == 2 * format::aborted_transaction_bytes);
  index.learn({.entries = {a}, .end = seal_of(125, 125)});
  CHECK(overlapping(index, 0, 1'000) == std::vector{a, b});
  REQUIRE(index.seal(seal_of(150, 150)).ok());
  auto again = f.open();
  CHECK(overlapping(again, 0, 1'000) == std::vector{a, b});
}

TEST_CASE("INV-8: what damage of the log hides is an error where it is asked for, and nowhere else") {
  IndexFixture f;
  auto index = f.open();
  index.learn({.entries = {aborted(130, 140, 141)},
               .unknown = {{.first = 105, .last = 119}},
               .end = seal_of(150, 150)});
  CHECK(overlapping(index, 120, 1'000).size() == 1);
  CHECK(overlapping(index, 100, 105).empty());
  std::vector<AbortedTransaction> found;
  const auto asked = index.collect({.from = 110, .upper = 111, .log_bytes = log_bytes}, found);
  REQUIRE_FALSE(asked.ok());
  CHECK(asked.error().code() == Errc::corrupt_record);
  CHECK(asked.error().message().find(f.path) != std::string::npos);
}

TEST_CASE("recovery makes the end of an index what the log says, and leaves one that says so alone") {
  IndexFixture f;
  const auto a = aborted(100, 110, 111);
  const auto b = aborted(111, 112, 113);
  const auto c = aborted(113, 114, 115);
  {
    auto& index = f.appended();
    for (const auto& entry : {a, b}) REQUIRE(index.append(entry).ok());
  }
  const auto before = std::filesystem::last_write_time(f.path);
  auto index = f.open();
  REQUIRE(index.replace_from(112, {b}, log_bytes).ok());
  CHECK(std::filesystem::last_write_time(f.path) == before);
  REQUIRE(index.replace_from(111, {c}, log_bytes).ok());
  CHECK(overlapping(index, 111, 1'000) == std::vector{c});
  CHECK_FALSE(known(index, 0, 1'000));
  REQUIRE(index.cut_from(111).ok());
  CHECK(std::filesystem::file_size(f.path) == format::aborted_transaction_bytes);
  REQUIRE(index.replace_from(50, {a, c}, log_bytes).ok());
  CHECK(overlapping(index, 0, 1'000) == std::vector{a, c});
}

TEST_CASE("an entry that cannot be written is not there") {
  FailingVfs vfs;
  IndexFixture f(vfs);
  auto& index = f.appended();
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
