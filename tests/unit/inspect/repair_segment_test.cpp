#include "inspect/repair_segment.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "format/batch_header.hpp"
#include "format/index_entry.hpp"
#include "format/transaction_seal.hpp"
#include "os/file/fd_cache.hpp"
#include "os/file/posix_vfs.hpp"
#include "segment/scan/batch_stream.hpp"
#include "support/log_builder.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::inspect {
namespace {

using test::LogBuilder;
using test::TempDir;

// Six batches of two records; the next segment begins at offset 12.
struct MadeLog {
  MadeLog() : log(LogBuilder().batches(6, {.records = 2})), bytes(log.bytes()) {}
  void write() const { test::write_file(path(), bytes); }
  std::string path() const { return directory / "00000000000000000000.log"; }
  std::uint64_t position(std::size_t batch) const { return log.all()[batch].position; }
  void flip(std::size_t batch, std::uint64_t at) { bytes[position(batch) + at] ^= std::byte{1}; }
  SegmentToRepair segment() const {
    return {.directory = directory.path(), .next_base = 12, .index_interval_bytes = 1};
  }
  std::vector<std::pair<Offset, Offset>> lost() {
    write();
    std::vector<std::pair<Offset, Offset>> ranges;
    const auto found = find_lost_offsets(context, segment());
    REQUIRE(found);
    for (const auto& range : *found) ranges.emplace_back(range.first, range.last);
    return ranges;
  }

  TempDir directory;
  LogBuilder log;
  std::vector<std::byte> bytes;
  os::FdCache files{os::posix_vfs(), 4};
  segment::SegmentContext context{os::posix_vfs(), files};
};

using Ranges = std::vector<std::pair<Offset, Offset>>;

TEST_CASE("of a damaged batch exactly its offsets are lost, wherever the damage is") {
  MadeLog made;
  CHECK(made.lost().empty());
  for (const std::size_t batch : {std::size_t{0}, std::size_t{2}, std::size_t{5}}) {
    const auto first = static_cast<Offset>(batch * 2);
    for (const std::uint64_t at :
         {std::uint64_t{3}, std::uint64_t{7}, std::uint64_t{16}, std::uint64_t{18}, std::uint64_t{70}}) {
      CAPTURE(batch);
      CAPTURE(at);
      made.flip(batch, at);
      CHECK(made.lost() == Ranges{{first, first + 1}});
      made.flip(batch, at);
    }
  }
}

TEST_CASE("a wrong length loses no more than its own batch") {
  MadeLog made;
  made.write();
  REQUIRE(rebuild_segment_indexes(made.context, made.segment()));
  made.flip(1, 11);
  CHECK(made.lost() == Ranges{{2, 3}});
  made.flip(3, 10);
  CHECK(made.lost() == Ranges{{2, 3}, {6, 7}});
}

TEST_CASE(
    "a segment that ends before its successor begins has lost the rest; where gaps are allowed it has not") {
  MadeLog made;
  made.bytes.resize(made.position(4));
  CHECK(made.lost() == Ranges{{8, 11}});
  auto segment = made.segment();
  segment.may_have_gaps = true;
  const auto lost = find_lost_offsets(made.context, segment);
  REQUIRE(lost);
  CHECK(lost->empty());
}

TEST_CASE(
    "written anew, every batch that can be read stays as it is and a batch without records fills the rest") {
  MadeLog made;
  made.flip(2, 70);
  made.flip(5, 70);
  made.write();
  const auto copy = rewrite_segment(made.context, made.segment());
  REQUIRE(copy);
  CHECK(*copy == made.path() + ".damaged");
  CHECK(test::read_file(*copy) == made.bytes);
  const auto lost = find_lost_offsets(made.context, made.segment());
  REQUIRE(lost);
  CHECK(lost->empty());
  auto file = os::posix_vfs().open(made.path(), os::OpenMode::read);
  REQUIRE(file);
  segment::BatchStream stream(**file, 0, std::numeric_limits<std::uint64_t>::max(), 0);
  for (std::size_t batch = 0; batch < 6; ++batch) {
    CAPTURE(batch);
    const auto item = stream.next();
    REQUIRE(item);
    REQUIRE(item->fault == format::BatchFault::none);
    CHECK(item->header.base_offset == static_cast<Offset>(batch * 2));
    CHECK(item->header.last_offset_delta == 1);
    CHECK(item->header.record_count == (batch == 2 || batch == 5 ? 0 : 2));
    if (batch == 2 || batch == 5) continue;
    const auto begin = made.bytes.begin() + static_cast<std::ptrdiff_t>(made.position(batch));
    CHECK(std::equal(item->bytes.begin(), item->bytes.end(), begin));
  }
  CHECK(stream.next()->at_end);
  // A second one does not take the name of the first.
  const auto second = rewrite_segment(made.context, made.segment());
  REQUIRE(second);
  CHECK(*second == made.path() + ".damaged.1");
}

// The worked example of the format, whose transaction index is known.
struct MadeTransactions {
  MadeTransactions() { test::write_file(directory / "00000000000000000000.log", bytes); }
  std::string index_path() const { return directory / "00000000000000000000.txnindex"; }
  std::vector<std::byte> index() const {
    const ProducerId a = ProducerId{1} << 42;
    return format::encode_sealed_transactions(
        std::vector<format::AbortedTransaction>{{a, 0, 8, 1}, {a + 1, 1, 11, 12}},
        {.log_bytes = bytes.size(), .end_offset = 14, .first_open_offset = 14}, 0);
  }
  SegmentToRepair segment() const { return {.directory = directory.path(), .next_base = 14}; }

  TempDir directory;
  const test::LogBuilder log = test::worked_example();
  std::vector<std::byte> bytes = log.bytes();
  os::FdCache files{os::posix_vfs(), 4};
  segment::SegmentContext context{os::posix_vfs(), files};
};

TEST_CASE("INV-8: the transaction index is made again from the log, with the others and with the segment") {
  MadeTransactions made;
  REQUIRE(rebuild_segment_indexes(made.context, made.segment()));
  CHECK(test::read_file(made.index_path()) == made.index());
  test::write_file(made.index_path(), base::as_bytes(std::string(34, 'x')));
  REQUIRE(rebuild_segment_indexes(made.context, made.segment()));
  CHECK(test::read_file(made.index_path()) == made.index());
  test::write_file(made.index_path(), base::as_bytes(std::string(34, 'x')));
  REQUIRE(rewrite_segment(made.context, made.segment()));
  CHECK(test::read_file(made.index_path()) == made.index());
}

TEST_CASE("a transaction index where nothing was aborted is removed") {
  MadeLog made;
  made.write();
  const std::string path = made.directory / "00000000000000000000.txnindex";
  test::write_file(path, base::as_bytes(std::string(34, 'x')));
  REQUIRE(rebuild_segment_indexes(made.context, made.segment()));
  CHECK_FALSE(os::posix_vfs().exists(path).value());
  test::write_file(path, base::as_bytes(std::string(34, 'x')));
  REQUIRE(rewrite_segment(made.context, made.segment()));
  CHECK_FALSE(os::posix_vfs().exists(path).value());
}

TEST_CASE("the last segment, and a hole wider than a segment can express, are left as they are") {
  MadeLog made;
  made.flip(2, 70);
  made.write();
  auto segment = made.segment();
  segment.next_base = -1;
  CHECK(rewrite_segment(made.context, segment).error().code() == Errc::invalid_state);
  segment.next_base = Offset{1} << 40;
  CHECK(rewrite_segment(made.context, segment).error().code() == Errc::invalid_state);
  CHECK(test::read_file(made.path()) == made.bytes);
}

}  // namespace
}  // namespace seriatim::inspect
