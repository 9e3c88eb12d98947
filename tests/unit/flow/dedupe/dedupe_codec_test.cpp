// An id that is stored is read back, and nothing else is taken for it.
#include "flow/dedupe/dedupe_codec.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace seriatim::test {
namespace {

using std::chrono::milliseconds;

std::vector<std::byte> stored(const std::string& bytes) {
  const auto view = std::as_bytes(std::span(bytes));
  return {view.begin(), view.end()};
}

}  // namespace

TEST_CASE("a recorded id is read back, with its result or without one") {
  const flow::DedupeMark mark{.bucket = 0x0102030405060708,
                              .time = Timestamp(milliseconds(1'700'000'000'001))};
  const std::string large(70'000, 'r');
  for (const std::optional<std::string>& result :
       {std::optional<std::string>(), std::optional<std::string>(""), std::optional<std::string>("r\0s"),
        std::optional<std::string>(large)}) {
    const auto row =
        flow::decode_dedupe_row(stored(flow::encode(mark, result ? BytesView(*result) : BytesView())));
    REQUIRE(row);
    CHECK(row->mark.bucket == mark.bucket);
    CHECK(row->mark.time == mark.time);
    CHECK(row->result == result);
  }
}

TEST_CASE("limits of a window are read back, for ever too") {
  const flow::DedupeLimits limits{.time = milliseconds::max(), .count = 7};
  const auto read = flow::decode_dedupe_limits(stored(flow::encode(limits)));
  REQUIRE(read);
  CHECK(*read == limits);
}

TEST_CASE("bytes that are none of a deduplicator are told from those that are") {
  const std::string row = flow::encode({.bucket = 1, .time = Timestamp(milliseconds(5))}, BytesView("r"));
  for (std::size_t size = 0; size < row.size() - 1; ++size)
    CHECK_FALSE(flow::decode_dedupe_row(stored(row.substr(0, size))));
  std::string other = row;
  other[0] = 2;  // a later version
  CHECK_FALSE(flow::decode_dedupe_row(stored(other)));
  other = row;
  other[17] = 0;  // says that there is no result, and has one
  CHECK_FALSE(flow::decode_dedupe_row(stored(other)));
  other = row;
  other[8] = '\xff';  // a bucket that nothing can be counted on from
  CHECK_FALSE(flow::decode_dedupe_row(stored(other)));
  const std::string limits = flow::encode(flow::DedupeLimits{.time = milliseconds(1), .count = 1});
  CHECK_FALSE(flow::decode_dedupe_limits(stored(limits + "x")));
  CHECK_FALSE(flow::decode_dedupe_limits(stored(limits.substr(1))));
}

}  // namespace seriatim::test
