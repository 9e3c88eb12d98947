#include "flow/delayed/delayed_codec.hpp"

#include <doctest/doctest.h>

#include <span>

namespace seriatim::flow {
namespace {

std::span<const std::byte> view(const std::string& text) { return std::as_bytes(std::span(text)); }
Timestamp ms(std::int64_t count) { return Timestamp{std::chrono::milliseconds{count}}; }

const std::vector<HeaderView> two_headers{{"a", "b"}, {"c", {}}};
const DelayedPosition place{.due = ms(0x0102030405), .id = "id"};

ProducerRecord full_record() {
  return {.topic = "t", .key = "", .value = {}, .partition = 7, .timestamp = ms(5), .headers = two_headers};
}

}  // namespace

TEST_CASE("a delayed message comes back as it was stored") {
  const std::string row = encode_delayed(full_record(), true);
  const auto message = decode_delayed(place, view(row));
  REQUIRE(message);
  CHECK(message->id == "id");
  CHECK(message->due == place.due);
  CHECK(message->topic == "t");
  CHECK(message->partition == 7);
  CHECK(message->key == "");
  CHECK_FALSE(message->value);
  CHECK(message->timestamp == ms(5));
  REQUIRE(message->headers.size() == 2);
  CHECK(message->headers[0].second == "b");
  CHECK_FALSE(message->headers[1].second);
  CHECK_FALSE(message->parked_for);
  std::vector<HeaderView> headers;
  CHECK(encode_delayed(delayed_record(*message, headers), true) == row);
}

TEST_CASE("the bytes of a delayed message are those of docs/data_directory.md") {
  const std::string expected = std::string("\x01\x00", 2) + std::string(8, '\xff') + std::string(4, '\xff') +
                               std::string("\x01\0\0\0t", 5) + std::string("\0", 1) +
                               std::string("\x01\x01\0\0\0v", 6) + std::string(4, '\0');
  CHECK(encode_delayed({.topic = "t", .value = "v"}, false) == expected);
  CHECK(delayed_key(place) == std::string("\0\0\0\x01\x02\x03\x04\x05id", 10));
  CHECK(encode_due(ms(258)) == std::string("\0\0\0\0\0\0\x01\x02", 8));
  CHECK(encode_parked(Error(Errc::unknown_topic_or_partition, "no"), view(expected)) ==
        std::string("\x01\x05\0\0\0\x02\0\0\0no", 11) + expected);
}

TEST_CASE("keys of delayed messages are in the order of their due times") {
  std::string before;
  for (const std::int64_t due :
       {0LL, 1LL, 255LL, 256LL, 65'535LL, 1'700'000'000'000LL, 253'402'300'799'999LL}) {
    const std::string key = delayed_key({.due = ms(due), .id = "x"});
    CHECK(before < key);
    const auto at = decode_delayed_key(view(key));
    REQUIRE(at);
    CHECK(at->due == ms(due));
    CHECK(at->id == "x");
    before = key;
  }
  CHECK_FALSE(decode_delayed_key(view("12345678")));
  CHECK_FALSE(decode_delayed_key(view("")));
  CHECK_FALSE(decode_due(view("1234567")));
}

TEST_CASE("the row of an id is noted in the message's own") {
  const std::string row = encode_delayed(full_record(), false);
  std::vector<std::byte> bytes(view(row).begin(), view(row).end());
  CHECK_FALSE(has_id_row(bytes));
  set_id_row(bytes);
  CHECK(has_id_row(bytes));
  CHECK(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()) ==
        encode_delayed(full_record(), true));
  CHECK_FALSE(has_id_row({}));
}

TEST_CASE("rows that are cut, longer or of another version are refused") {
  const std::string whole = encode_delayed(full_record(), false);
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_FALSE(decode_delayed(place, view(whole.substr(0, size))));
  CHECK_FALSE(decode_delayed(place, view(whole + "x")));
  CHECK_FALSE(decode_delayed(place, view("\x02" + whole.substr(1))));
  CHECK_FALSE(decode_delayed(place, view(whole.substr(0, 1) + "\x02" + whole.substr(2))));
}

TEST_CASE("a parked message says why, whatever its row is") {
  const Error why(Errc::unknown_topic_or_partition, std::string(5'000, 'x'));
  const std::string row = encode_delayed(full_record(), false);
  const std::string parked = encode_parked(why, view(row));
  CHECK(parked.size() < row.size() + 2'048);
  const auto message = decode_parked_message(place, view(parked));
  REQUIRE(message);
  CHECK(message->topic == "t");
  REQUIRE(message->parked_for);
  CHECK(message->parked_for->code() == Errc::unknown_topic_or_partition);
  CHECK(message->parked_for->message() == std::string(1'024, 'x'));
  const auto decoded = decode_parked(view(parked));
  REQUIRE(decoded);
  CHECK(std::string(reinterpret_cast<const char*>(decoded->row.data()), decoded->row.size()) == row);

  const auto unreadable = decode_parked_message(place, view(encode_parked(why, view("?"))));
  REQUIRE(unreadable);
  CHECK(unreadable->id == "id");
  CHECK(unreadable->topic.empty());
  for (std::size_t size = 0; size < 9; ++size) CHECK_FALSE(decode_parked(view(parked.substr(0, size))));
  CHECK_FALSE(decode_parked(view("\x02" + parked.substr(1))));
}

}  // namespace seriatim::flow
