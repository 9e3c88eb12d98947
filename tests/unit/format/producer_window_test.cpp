#include "format/producer_window.hpp"

#include <doctest/doctest.h>

#include "unit/format/examples.hpp"

using namespace seriatim;
using namespace seriatim::format;

namespace {

const std::vector<ProducerWindowEntry> two_batches{
    {.producer_id = ProducerId{1} << 40,
     .producer_epoch = 3,
     .batch =
         {.first_sequence = 7, .last_sequence = 9, .base_offset = 20, .last_offset = 22, .timestamp_ms = 5}},
    {.producer_id = ProducerId{1} << 40,
     .producer_epoch = 3,
     .batch = {.first_sequence = 10,
               .last_sequence = 10,
               .base_offset = 30,
               .last_offset = 30,
               .timestamp_ms = 6}}};

}  // namespace

TEST_CASE("the worked example of a producer window, byte by byte") {
  const auto file = encode_producer_window(two_batches);
  REQUIRE(file.size() == producer_window_header_bytes + 2 * producer_window_entry_bytes);
  CHECK(test::to_hex(base::ByteSpan(file).first(8)) == "73 50 52 57 00 00 00 01");
  CHECK(test::to_hex(base::ByteSpan(file).subspan(16, 4 + producer_window_entry_bytes)) ==
        "00 00 00 02 00 00 01 00 00 00 00 00 00 03 00 00 00 07 00 00 00 09 00 00 00 00 00 00 00 14 "
        "00 00 00 00 00 00 00 16 00 00 00 00 00 00 00 05");
  CHECK(parse_producer_window(file).value() == two_batches);
  CHECK(parse_producer_window(encode_producer_window({})).value().empty());
}

TEST_CASE("every bit of a producer window is guarded, and so is its length") {
  const auto file = encode_producer_window(two_batches);
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    auto flipped = file;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    REQUIRE_FALSE(parse_producer_window(flipped).ok());
  }
  for (std::size_t size = 0; size < file.size(); ++size)
    REQUIRE_FALSE(parse_producer_window(base::ByteSpan(file).first(size)).ok());
}

TEST_CASE("a producer window of a newer version is refused as such, one that contradicts itself as damage") {
  auto file = encode_producer_window(two_batches);
  file[7] = std::byte{2};
  CHECK(parse_producer_window(file).error().code() == Errc::unsupported_version);
  auto entries = two_batches;
  entries[0].batch.last_offset = 3;
  CHECK(parse_producer_window(encode_producer_window(entries)).error().code() == Errc::corrupt_metadata);
}
