#include "format/batch/single_batch.hpp"

#include <array>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "format/batch/batch_builder.hpp"
#include "format/batch/batch_check.hpp"
#include "support/random.hpp"
#include "unit/format/examples.hpp"

using namespace seriatim;
using namespace seriatim::format;
using seriatim::test::T;

namespace {

test::Bytes framed(const RecordInput& record, const FrameOptions& options) {
  test::Bytes out(single_batch_bytes(record) + 1, std::byte{0xEE});
  FramedBatch framed;
  frame_single(record, options, out, framed);
  CHECK(framed.bytes.size() == out.size() - 1);
  CHECK(out.back() == std::byte{0xEE});
  out.pop_back();
  return out;
}

}  // namespace

TEST_CASE("a single record is framed as in example A") {
  const RecordInput record{.key = "k", .value = "hello", .timestamp_ms = T};
  CHECK(test::to_hex(framed(record, {})) == test::to_hex(test::example_a()));
}

TEST_CASE("a single transactional record is framed as in example C") {
  const RecordInput record{.key = "a", .value = "1", .timestamp_ms = T + 10};
  test::Bytes batch = framed(record, {.producer_id = test::example_producer_id,
                                      .producer_epoch = 1,
                                      .base_sequence = 0,
                                      .transactional = true});
  stamp_base_offset(batch.data(), 103);
  CHECK(test::to_hex(batch) == test::to_hex(test::example_c()));
}

TEST_CASE("a single record under log append time is framed as in example F") {
  const RecordInput record{.key = "k", .value = "hello", .timestamp_ms = T};
  CHECK(test::to_hex(framed(record, {.log_append_time = true, .append_time_ms = T + 123'456})) ==
        test::to_hex(test::example_f()));
}

TEST_CASE("a single record is never marked as compressed") {
  const RecordInput record{.key = "k", .value = "hello", .timestamp_ms = T};
  CHECK(test::to_hex(framed(record, {.codec = Codec::zstd})) == test::to_hex(test::example_a()));
}

TEST_CASE("the fast path and the builder make the same bytes of any record") {
  test::Random random("single_batch: same bytes as the builder");
  for (int round = 0; round < 2000; ++round) {
    const std::string key = random.text(static_cast<std::size_t>(random.between(0, 200)));
    const test::Bytes value =
        random.bytes(static_cast<std::size_t>(random.between(0, round % 50 == 0 ? 40'000 : 300)));
    std::vector<std::string> texts;
    for (std::int64_t i = random.between(-3, 3); i > 0; --i)
      texts.push_back(random.text(static_cast<std::size_t>(i)));
    std::vector<HeaderView> headers;
    for (const std::string& text : texts) {
      headers.push_back({text, random.one_in(4) ? BytesView() : BytesView(text)});
    }
    const RecordInput record{.key = random.one_in(4) ? BytesView() : BytesView(key),
                             .value = random.one_in(4) ? BytesView() : BytesView(value.data(), value.size()),
                             .timestamp_ms = random.one_in(10) ? no_timestamp_ms : random.between(0, T * 2),
                             .headers = headers};
    const FrameOptions options{.log_append_time = random.one_in(2),
                               .append_time_ms = T,
                               .producer_id = 7,
                               .producer_epoch = 3,
                               .base_sequence = static_cast<Sequence>(random.between(0, 1000)),
                               .transactional = random.one_in(2)};
    BatchBuilder builder;
    REQUIRE(builder.append(record));
    const Result<FramedBatch> built = builder.frame(options);
    REQUIRE(built);
    const test::Bytes single = framed(record, options);
    REQUIRE(test::to_hex(single) == test::to_hex(built->bytes));
    REQUIRE(check_batch(single, 0) == BatchFault::none);
    REQUIRE(check_record(record));
  }
}

TEST_CASE("a value written in place gives the same batch, once it is published") {
  const std::array<HeaderView, 1> headers{HeaderView{"trace", "42"}};
  const std::string value = "written where it lies";
  const RecordInput record{.key = "k", .value = value, .timestamp_ms = T, .headers = headers};
  const test::Bytes expected = framed(record, {});
  test::Bytes batch(single_batch_bytes(record));
  // The bytes the input points at are not read: only their number counts.
  const RecordInput claim{
      .key = "k", .value = BytesView(nullptr, value.size()), .timestamp_ms = T, .headers = headers};
  std::byte* const at = open_single(claim, {}, batch);
  std::memcpy(at, value.data(), value.size());
  seal_batch(batch);
  CHECK(check_batch(batch, 0) == BatchFault::unpublished);
  batch[magic_at] = std::byte{batch_magic};
  CHECK(test::to_hex(batch) == test::to_hex(expected));
}

TEST_CASE("what cannot be stored is refused with a reason") {
  CHECK(check_record({.key = "k", .value = "v", .timestamp_ms = -1}));
  const Result<std::size_t> negative = check_record({.key = "k", .value = "v", .timestamp_ms = -2});
  REQUIRE_FALSE(negative);
  CHECK(negative.error().code() == Errc::invalid_timestamp);
  CHECK(negative.error().message().find("-2") != std::string::npos);

  // Only sizes are looked at, so no such bytes need to exist.
  const Result<std::size_t> large =
      check_record({.value = BytesView(nullptr, batch_bytes_max), .timestamp_ms = T});
  REQUIRE_FALSE(large);
  CHECK(large.error().code() == Errc::record_too_large);
  CHECK(check_record({.value = BytesView(nullptr, batch_bytes_max - 61 - 21), .timestamp_ms = T}));
}
