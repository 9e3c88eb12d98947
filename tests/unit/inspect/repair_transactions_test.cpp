#include "inspect/repair_transactions.hpp"

#include <doctest/doctest.h>

#include "format/file_name.hpp"
#include "format/transaction_seal.hpp"
#include "os/file/posix_vfs.hpp"
#include "segment/scan/batch_stream.hpp"
#include "support/log_builder.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::inspect {
namespace {

using test::LogBuilder;

/// The worked example, cut into two segments at batch `border`.
struct CutExample {
  explicit CutExample(std::size_t border) : base(log[border].header.base_offset) {
    const std::vector<std::byte> held = log.bytes();
    const base::ByteSpan bytes(held);
    test::write_file(path(0), bytes.first(log[border].position));
    test::write_file(path(base), bytes.subspan(log[border].position));
  }
  std::string path(Offset offset, format::FileKind kind = format::FileKind::log) const {
    return directory / format::file_name(offset, kind);
  }
  /// As repair walks the second one.
  std::vector<format::AbortedTransaction> repaired(RepairedTransactions& transactions) {
    REQUIRE(transactions.begin(context, directory.path(), base));
    const std::vector<std::byte> held = log.bytes();
    const base::ByteSpan bytes(held);
    for (const auto& batch : log.all()) {
      if (batch.header.base_offset < base) continue;
      transactions.note(batch.header, bytes.subspan(batch.position, batch.header.size_bytes()));
    }
    return transactions.entries();
  }
  std::vector<format::AbortedTransaction> expected() const {
    const ProducerId a = ProducerId{1} << 42;
    std::vector<format::AbortedTransaction> all{{a, 0, 8, 1}, {a + 1, 1, 11, 12}};
    std::erase_if(all, [&](const auto& entry) { return entry.last_offset < base; });
    return all;
  }

  test::TempDir directory;
  LogBuilder log = test::worked_example();
  Offset base;
  os::FdCache files{os::posix_vfs(), 4};
  segment::SegmentContext context{os::posix_vfs(), files};
};

TEST_CASE("INV-8: without a snapshot, what was open where a segment begins is in the logs before it") {
  const std::size_t batches = test::worked_example().all().size();
  for (std::size_t border = 1; border < batches; ++border) {
    CutExample cut(border);
    RepairedTransactions transactions;
    CAPTURE(border);
    CHECK(cut.repaired(transactions) == cut.expected());
    CHECK(transactions.first_open_offset(14) == 14);
  }
}

TEST_CASE("INV-8: an index that proves what it says is kept, and one that does not is not believed") {
  CutExample cut(2);
  const std::vector<format::AbortedTransaction> other{{5, 0, 12, 13}};
  const std::uint64_t log_bytes = cut.log.size_bytes() - cut.log[2].position;
  const format::TransactionSeal seal{.log_bytes = log_bytes, .end_offset = 14, .first_open_offset = 3};
  const std::string index = cut.path(cut.base, format::FileKind::transaction_index);
  test::write_file(index, format::encode_aborted_transactions(other));
  {
    RepairedTransactions transactions;
    CHECK(cut.repaired(transactions) == cut.expected());
  }
  test::write_file(index, format::encode_sealed_transactions(other, seal, cut.base));
  RepairedTransactions transactions;
  transactions.pass_damage();
  CHECK(cut.repaired(transactions) == other);
  CHECK(transactions.first_open_offset(14) == 3);
}

TEST_CASE("behind damage nothing is sealed") {
  CutExample cut(3);
  auto bytes = test::read_file(cut.path(0));
  bytes.back() ^= std::byte{1};
  test::write_file(cut.path(0), bytes);
  RepairedTransactions transactions;
  cut.repaired(transactions);
  CHECK_FALSE(transactions.first_open_offset(14));
}

}  // namespace
}  // namespace seriatim::inspect
