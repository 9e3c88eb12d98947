#include "format/batch/batch_builder.hpp"

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "format/batch/batch_check.hpp"
#include "format/batch/record_cursor.hpp"
#include "format/batch/record_section.hpp"
#include "support/random.hpp"
#include "unit/format/examples.hpp"

using namespace seriatim;
using namespace seriatim::format;
using seriatim::test::T;

namespace {

constexpr FrameOptions example_b_options{
    .producer_id = test::example_producer_id, .producer_epoch = 0, .base_sequence = 7};

void append_example_b(BatchBuilder& builder) {
  const test::Bytes one{std::byte{1}};
  const std::array<HeaderView, 2> headers{HeaderView{"h1", BytesView(one.data(), one.size())},
                                          HeaderView{"h2", {}}};
  REQUIRE(builder.append({.key = "user-1", .value = "v1", .timestamp_ms = T, .headers = headers}));
  REQUIRE(builder.append({.key = {}, .value = "v2", .timestamp_ms = T + 5}));
  REQUIRE(builder.append({.key = "user-1", .value = {}, .timestamp_ms = T - 3}));
}

struct OwnedInput {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::int64_t timestamp_ms = 0;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
};

BytesView view(const std::optional<std::string>& text) { return text ? BytesView(*text) : BytesView(); }

std::optional<std::string> random_field(test::Random& random, std::size_t size_max) {
  if (random.one_in(5)) return std::nullopt;
  return random.text(static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(size_max))));
}

OwnedInput random_record(test::Random& random) {
  OwnedInput record{random_field(random, 20),
                    random_field(random, 2000),
                    random.one_in(20) ? no_timestamp_ms : random.between(0, T),
                    {}};
  for (std::int64_t i = random.between(-2, 3); i > 0; --i) {
    record.headers.emplace_back(random.text(static_cast<std::size_t>(i)), random_field(random, 30));
  }
  return record;
}

void append_owned(BatchBuilder& builder, const OwnedInput& record) {
  std::vector<HeaderView> headers;
  for (const auto& [key, value] : record.headers) headers.push_back({key, view(value)});
  REQUIRE(builder.append({.key = view(record.key),
                          .value = view(record.value),
                          .timestamp_ms = record.timestamp_ms,
                          .headers = headers}));
}

void check_field(BytesView stored, const std::optional<std::string>& expected) {
  REQUIRE(stored.is_null() == !expected.has_value());
  if (expected) REQUIRE(stored.text() == *expected);
}

void check_same(const BatchHeader& header, const DecodedRecord& stored, const OwnedInput& expected) {
  check_field(stored.key, expected.key);
  check_field(stored.value, expected.value);
  REQUIRE(header.record_timestamp_ms(stored.timestamp_delta) == expected.timestamp_ms);
  REQUIRE(static_cast<std::size_t>(stored.header_count) == expected.headers.size());
  HeaderCursor cursor(stored.headers, stored.header_count);
  HeaderView view_of_header;
  for (const auto& [key, value] : expected.headers) {
    REQUIRE(cursor.next(view_of_header));
    REQUIRE(view_of_header.key == key);
    check_field(view_of_header.value, value);
  }
}

}  // namespace

TEST_CASE("three records are framed as in example B") {
  BatchBuilder builder;
  append_example_b(builder);
  CHECK(builder.record_count() == 3);
  CHECK(builder.size_bytes() == 107);
  CHECK(builder.max_timestamp_ms() == T + 5);
  const Result<FramedBatch> batch = builder.frame(example_b_options);
  REQUIRE(batch);
  CHECK(batch->header.record_count == 3);
  CHECK(batch->header.last_offset_delta == 2);
  CHECK(batch->header.base_timestamp_ms == T);
  CHECK(batch->header.max_timestamp_ms == T + 5);
  stamp_base_offset(batch->bytes.data(), 100);
  CHECK(test::to_hex(batch->bytes) == test::to_hex(test::example_b()));
}

TEST_CASE("a builder is used again after clear, and framed again without") {
  BatchBuilder builder;
  REQUIRE(builder.append({.key = "left over", .value = "from before", .timestamp_ms = T + 1'000'000}));
  REQUIRE(builder.frame({}));
  builder.clear();
  CHECK(builder.empty());
  CHECK(builder.size_bytes() == header_bytes);
  append_example_b(builder);
  REQUIRE(builder.frame({.codec = Codec::lz4}));
  const Result<FramedBatch> batch = builder.frame(example_b_options);
  REQUIRE(batch);
  stamp_base_offset(batch->bytes.data(), 100);
  CHECK(test::to_hex(batch->bytes) == test::to_hex(test::example_b()));
}

TEST_CASE("log append time changes the maximum only") {
  BatchBuilder builder;
  append_example_b(builder);
  const Result<FramedBatch> batch = builder.frame({.log_append_time = true, .append_time_ms = T + 99});
  REQUIRE(batch);
  const BatchHeader header = read_batch_header(batch->bytes.data());
  CHECK(header.uses_log_append_time());
  CHECK(header.base_timestamp_ms == T);
  CHECK(header.max_timestamp_ms == T + 99);
  CHECK(batch->header.max_timestamp_ms == T + 99);
}

TEST_CASE("the maximum timestamp is the true one, also when every timestamp is -1 or they fall") {
  BatchBuilder builder;
  REQUIRE(builder.append({.value = "a", .timestamp_ms = no_timestamp_ms}));
  CHECK(builder.max_timestamp_ms() == no_timestamp_ms);
  REQUIRE(builder.append({.value = "b", .timestamp_ms = 0}));
  CHECK(builder.max_timestamp_ms() == 0);
  builder.clear();
  REQUIRE(builder.append({.value = "a", .timestamp_ms = 9}));
  REQUIRE(builder.append({.value = "b", .timestamp_ms = 3}));
  CHECK(builder.max_timestamp_ms() == 9);
}

TEST_CASE("the farthest timestamps come back as they were") {
  constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  BatchBuilder builder;
  REQUIRE(builder.append({.value = "a", .timestamp_ms = no_timestamp_ms}));
  REQUIRE(builder.append({.value = "b", .timestamp_ms = largest}));
  const Result<FramedBatch> batch = builder.frame({});
  REQUIRE(batch);
  const BatchHeader header = read_batch_header(batch->bytes.data());
  RecordCursor cursor(base::ByteSpan(batch->bytes).subspan(records_at), 2);
  DecodedRecord record;
  REQUIRE(cursor.next(record) == RecordCursor::Step::record);
  REQUIRE(cursor.next(record) == RecordCursor::Step::record);
  CHECK(header.record_timestamp_ms(record.timestamp_delta) == largest);
}

TEST_CASE("a refused record leaves the builder as it was") {
  BatchBuilder builder;
  append_example_b(builder);
  const Result<void> early = builder.append({.value = "x", .timestamp_ms = -2});
  REQUIRE_FALSE(early);
  CHECK(early.error().code() == Errc::invalid_timestamp);
  const Result<void> large =
      builder.append({.value = BytesView(nullptr, batch_bytes_max), .timestamp_ms = T});
  REQUIRE_FALSE(large);
  CHECK(large.error().code() == Errc::record_too_large);
  const Result<FramedBatch> batch = builder.frame(example_b_options);
  REQUIRE(batch);
  stamp_base_offset(batch->bytes.data(), 100);
  CHECK(test::to_hex(batch->bytes) == test::to_hex(test::example_b()));
}

TEST_CASE("a batch without a record, or with an impossible codec or level, is refused") {
  BatchBuilder builder;
  const Result<FramedBatch> nothing = builder.frame({});
  REQUIRE_FALSE(nothing);
  CHECK(nothing.error().code() == Errc::invalid_argument);
  append_example_b(builder);
  const Result<FramedBatch> codec = builder.frame({.codec = static_cast<Codec>(5)});
  REQUIRE_FALSE(codec);
  CHECK(codec.error().code() == Errc::unsupported_codec);
  const Result<FramedBatch> level = builder.frame({.codec = Codec::gzip, .level = 10});
  REQUIRE_FALSE(level);
  CHECK(level.error().code() == Errc::invalid_config);
}

TEST_CASE("the upper bound is one, and not far off") {
  test::Random random("batch_builder: upper bound");
  BatchBuilder builder;
  for (int i = 0; i < 500; ++i) {
    const OwnedInput record = random_record(random);
    std::vector<HeaderView> headers;
    for (const auto& [key, value] : record.headers) headers.push_back({key, view(value)});
    const RecordInput input{.key = view(record.key),
                            .value = view(record.value),
                            .timestamp_ms = record.timestamp_ms,
                            .headers = headers};
    const std::size_t bound = builder.upper_bound_bytes(input);
    REQUIRE(builder.append(input));
    CHECK(builder.size_bytes() <= bound);
    CHECK(builder.size_bytes() + 21 >= bound);
  }
}

TEST_CASE("random records come back as they were, through every codec") {
  test::Random random("batch_builder: round trip");
  BatchBuilder builder;
  test::Bytes scratch;
  for (int round = 0; round < 120; ++round) {
    builder.clear();
    std::vector<OwnedInput> records(static_cast<std::size_t>(random.between(1, round % 20 == 0 ? 400 : 12)));
    for (OwnedInput& record : records) record = random_record(random);
    for (const OwnedInput& record : records) append_owned(builder, record);
    const auto codec = static_cast<Codec>(round % 5);
    const Result<FramedBatch> batch = builder.frame({.codec = codec});
    REQUIRE(batch);
    stamp_base_offset(batch->bytes.data(), round);
    REQUIRE(check_batch(batch->bytes, round) == BatchFault::none);
    const BatchHeader header = read_batch_header(batch->bytes.data());
    REQUIRE(header.codec() == codec);
    const Result<base::ByteSpan> section = record_section(batch->bytes, builder.size_bytes(), scratch);
    REQUIRE(section);
    REQUIRE(section->size() == builder.size_bytes() - header_bytes);
    RecordCursor cursor(*section, header.record_count, header.last_offset_delta);
    DecodedRecord stored;
    for (const OwnedInput& expected : records) {
      REQUIRE(cursor.next(stored) == RecordCursor::Step::record);
      check_same(header, stored, expected);
    }
    REQUIRE(cursor.next(stored) == RecordCursor::Step::end);
  }
}
