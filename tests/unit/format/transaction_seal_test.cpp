#include "format/transaction_seal.hpp"

#include <doctest/doctest.h>

#include <string>

namespace seriatim::format {
namespace {

constexpr Offset seal_base = 1'000;
const std::vector<AbortedTransaction> two_aborts{{7, 900, 1'010, 1'005}, {8, 1'005, 1'020, 1'021}};
constexpr TransactionSeal open_at_the_end{.log_bytes = 4'096, .end_offset = 1'050, .first_open_offset = 950};

TEST_CASE("a seal says what was sealed, and the entries before it are Kafka's") {
  const auto file = encode_sealed_transactions(two_aborts, open_at_the_end, seal_base);
  CHECK(file.size() == 2 * aborted_transaction_bytes + transaction_seal_bytes);
  CHECK(load_transaction_seal(file, seal_base) == open_at_the_end);
  const auto entries = encode_aborted_transactions(two_aborts);
  CHECK(std::equal(entries.begin(), entries.end(), file.begin()));
  const auto alone = encode_sealed_transactions({}, open_at_the_end, seal_base);
  CHECK(alone.size() == transaction_seal_bytes);
  CHECK(load_transaction_seal(alone, seal_base) == open_at_the_end);
}

TEST_CASE("the bytes of a seal are those of the documented example") {
  const auto alone =
      encode_sealed_transactions({}, {.log_bytes = 258, .end_offset = 14, .first_open_offset = 3}, 0);
  std::string hex;
  constexpr std::string_view digits = "0123456789abcdef";
  for (const std::byte byte : alone) {
    hex += digits[std::to_integer<std::size_t>(byte) >> 4];
    hex += digits[std::to_integer<std::size_t>(byte) & 15];
  }
  CHECK(hex.substr(0, 40) == "73545831000001020000000e0000000000000003");
  CHECK(hex.substr(40) == "34c8ddc043380045");
}

TEST_CASE("what is not the seal of these entries in this segment is none") {
  const auto file = encode_sealed_transactions(two_aborts, open_at_the_end, seal_base);
  CHECK_FALSE(load_transaction_seal(file, seal_base + 1));
  CHECK_FALSE(load_transaction_seal({}, seal_base));
  CHECK_FALSE(load_transaction_seal(encode_aborted_transactions(two_aborts), seal_base));
  CHECK_FALSE(load_transaction_seal(base::ByteSpan(file).subspan(aborted_transaction_bytes), seal_base));
  auto flipped = file;
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    CHECK_FALSE(load_transaction_seal(flipped, seal_base));
    flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
  }
}

TEST_CASE("a seal whose fields do not fit cannot be stored") {
  CHECK(can_be_stored(open_at_the_end, seal_base));
  CHECK_FALSE(can_be_stored({.log_bytes = std::uint64_t{1} << 32, .end_offset = 1'050}, seal_base));
  CHECK_FALSE(can_be_stored({.end_offset = seal_base + (Offset{1} << 32)}, seal_base));
  CHECK_FALSE(can_be_stored({.end_offset = seal_base - 1}, seal_base));
  CHECK_FALSE(can_be_stored({.end_offset = 1'050, .first_open_offset = 1'051}, seal_base));
}

}  // namespace
}  // namespace seriatim::format
