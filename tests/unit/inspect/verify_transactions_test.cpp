#include "inspect/verify_transactions.hpp"

#include <doctest/doctest.h>

#include "os/file/posix_vfs.hpp"
#include "support/log_builder.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::inspect {
namespace {

/// The worked example of the format and its index, with what a test changes of it.
struct CheckedTransactions {
  std::optional<WrongTransactions> check(TransactionIndexCheck::Segment segment = {}) const {
    VerifiedTransactions state;
    TransactionIndexCheck checked(&state);
    for (const auto& batch : log.all()) {
      if (batch.header.is_control() && !has_markers) continue;
      const std::vector<std::byte> held = log.bytes();
      const base::ByteSpan bytes(held);
      checked.note(batch.header, bytes.subspan(batch.position, batch.header.size_bytes()));
    }
    segment.path = directory / "00000000000000000000.txnindex";
    segment.end_offset = log.back().header.next_offset();
    segment.log_bytes = log.size_bytes();
    test::write_file(segment.path, file);
    auto wrong = checked.check(os::posix_vfs(), segment);
    REQUIRE(wrong.ok());
    return *wrong;
  }

  bool has_markers = true;
  test::TempDir directory;
  test::LogBuilder log = test::worked_example();
  std::vector<format::AbortedTransaction> entries{{ProducerId{1} << 42, 0, 8, 1},
                                                  {(ProducerId{1} << 42) + 1, 1, 11, 12}};
  format::TransactionSeal seal{.log_bytes = log.size_bytes(), .end_offset = 14, .first_open_offset = 14};
  std::vector<std::byte> file = format::encode_sealed_transactions(entries, seal, 0);
};

TEST_CASE("INV-13: with any bit flipped, a sealed index is not called right") {
  CheckedTransactions made;
  CHECK_FALSE(made.check());
  for (std::size_t bit = 0; bit < made.file.size() * 8; ++bit) {
    made.file[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    CAPTURE(bit);
    CHECK(made.check());
    made.file[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
  }
}

TEST_CASE("INV-13: with any bit of its entries flipped, an index without a seal is not called right") {
  CheckedTransactions made;
  made.file = format::encode_aborted_transactions(made.entries);
  CHECK_FALSE(made.check());
  for (std::size_t bit = 0; bit < made.file.size() * 8; ++bit) {
    made.file[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    CAPTURE(bit);
    CHECK(made.check());
    made.file[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
  }
}

TEST_CASE("what was open before the log begins may be told of, and what is known to have been may not") {
  CheckedTransactions made;
  made.entries[0].last_stable_offset = 0;
  made.file = format::encode_aborted_transactions(made.entries);
  CHECK(made.check());
  CHECK_FALSE(made.check({.may_have_gaps = true}));
  made.entries[0].last_stable_offset = 5;
  made.file = format::encode_aborted_transactions(made.entries);
  CHECK(made.check({.may_have_gaps = true}));
}

TEST_CASE("a part of a seal is wrong, but of a segment that is written to it may be on its way") {
  CheckedTransactions made;
  made.file.pop_back();
  CHECK(made.check());
  CHECK_FALSE(made.check({.is_last = true}));
}

TEST_CASE("INV-13: a seal that does not know of a transaction that is open is wrong") {
  CheckedTransactions made;
  made.has_markers = false;
  made.file = format::encode_sealed_transactions({}, made.seal, 0);
  CHECK(made.check());
  made.seal.first_open_offset = 0;
  made.file = format::encode_sealed_transactions({}, made.seal, 0);
  CHECK_FALSE(made.check());
}

}  // namespace
}  // namespace seriatim::inspect
