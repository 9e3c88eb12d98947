#include "flow/half/half_message_codec.hpp"

#include <doctest/doctest.h>

#include <span>

namespace seriatim::flow {
namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

StoredHalf example() {
  StoredHalf half;
  half.message = {.id = "id",
                  .topic = "t",
                  .partition = 7,
                  .key = "",
                  .headers = {{"a", "b"}, {"c", std::nullopt}},
                  .timestamp = Timestamp{std::chrono::milliseconds(-5)},
                  .prepare_time = Timestamp{std::chrono::milliseconds(0x0102030405)},
                  .checks = 3,
                  .is_parked = true};
  half.last_check = Timestamp{std::chrono::milliseconds(9)};
  return half;
}

}  // namespace

TEST_CASE("a half message comes back as it was stored") {
  const StoredHalf half = example();
  const auto read = decode_half("id", bytes_of(encode(half)));
  REQUIRE(read);
  CHECK(read->message.id == "id");
  CHECK(read->message.topic == "t");
  CHECK(read->message.partition == 7);
  CHECK(read->message.key == "");
  CHECK_FALSE(read->message.value);
  CHECK(read->message.headers == half.message.headers);
  CHECK(read->message.timestamp == half.message.timestamp);
  CHECK(read->message.prepare_time == half.message.prepare_time);
  CHECK(read->message.checks == 3);
  CHECK(read->message.is_parked);
  CHECK(read->last_check == half.last_check);
}

TEST_CASE("the bytes of a half message are those of docs/data_directory.md") {
  StoredHalf half;
  half.message = {
      .id = "id", .topic = "t", .value = "v", .prepare_time = Timestamp{std::chrono::milliseconds(2)}};
  const std::string none(8, '\xff');
  const std::string expected = std::string("\x01\x00\x00\x00\x00\x00", 6) +
                               std::string("\x02\0\0\0\0\0\0\0", 8) + none + none + "\xff\xff\xff\xff" +
                               std::string("\x01\0\0\0t", 5) + std::string("\0", 1) +
                               std::string("\x01\x01\0\0\0v", 6) + std::string(4, '\0');
  CHECK(encode(half) == expected);
  CHECK(encode(HalfDecision::rolled_back, Timestamp{std::chrono::milliseconds(3)}) ==
        std::string("\x01\x01\x03\0\0\0\0\0\0\0", 10));
}

TEST_CASE("bytes that are cut, longer or of another version are refused") {
  const std::string whole = encode(example());
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_FALSE(decode_half("id", bytes_of(whole.substr(0, size))));
  CHECK_FALSE(decode_half("id", bytes_of(whole + "x")));
  CHECK_FALSE(decode_half("id", bytes_of("\x02" + whole.substr(1))));
  const std::string decision = encode(HalfDecision::committed, Timestamp{});
  CHECK(decode_decision(bytes_of(decision)) == HalfDecision::committed);
  CHECK_FALSE(decode_decision(bytes_of(decision.substr(1))));
  CHECK_FALSE(decode_decision(bytes_of("\x01\x02" + decision.substr(2))));
}

}  // namespace seriatim::flow
