// Headers of requests and replies: what is written is read, and nothing else is taken for it.
#include "flow/request/reply_headers.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

namespace seriatim::test {

TEST_CASE("a correlation id is 16 bytes, and is read back") {
  const flow::CorrelationId id{.requester = 0x0102030405060708, .number = 0xf1f2f3f4f5f6f7f8};
  const std::string bytes = flow::encode_correlation(id);
  CHECK(bytes == "\x01\x02\x03\x04\x05\x06\x07\x08\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8");
  CHECK(flow::decode_correlation(bytes) == id);
  CHECK_FALSE(flow::decode_correlation(bytes.substr(1)));
  CHECK_FALSE(flow::decode_correlation(bytes + "x"));
  CHECK_FALSE(flow::decode_correlation(BytesView()));
}

TEST_CASE("a reply partition is 4 bytes, the highest first, as Spring Kafka writes it") {
  CHECK(flow::encode_reply_partition(0x0102) == std::string("\0\0\1\2", 4));
  for (const PartitionId partition : {0, 1, 255, 256, std::numeric_limits<PartitionId>::max()})
    CHECK(flow::decode_reply_partition(flow::encode_reply_partition(partition)) == partition);
  CHECK_FALSE(flow::decode_reply_partition("1"));
  CHECK_FALSE(flow::decode_reply_partition(BytesView()));
  CHECK_FALSE(flow::decode_reply_partition("\xff\xff\xff\xff"));
}

TEST_CASE("an error travels with its code and its message") {
  const Error error(Errc::not_found, "no price for apples");
  const Error read = flow::decode_reply_error(flow::encode_reply_error(error));
  CHECK(read.code() == Errc::not_found);
  CHECK(read.message() == "the responder answered: no price for apples");
  CHECK(flow::decode_reply_error(flow::encode_reply_error(Error(Errc::io_error, ""))).code() ==
        Errc::io_error);
  const Error large(Errc::io_error, std::string(1U << 20U, 'x'));
  CHECK(flow::encode_reply_error(large).size() < 5'000);
}

TEST_CASE("an error that nobody can read is one that says so") {
  for (const char* const bytes : {"", "x", "46", " text", "46x", "-1 text", "9999 text", "99999999999 text"})
    CHECK(flow::decode_reply_error(bytes).code() == Errc::invalid_record);
  CHECK(flow::decode_reply_error(BytesView()).code() == Errc::invalid_record);
}

}  // namespace seriatim::test
