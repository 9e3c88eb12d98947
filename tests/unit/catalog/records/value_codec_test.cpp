#include "catalog/records/value_codec.hpp"

#include <doctest/doctest.h>

#include <string>

namespace seriatim::catalog {
namespace {

TEST_CASE("a payload comes back under its own key only") {
  const std::string value = encode_value(Database::topics, "orders", "payload");
  CHECK(value.size() == value_header_bytes + 7);
  const Result<base::ByteSpan> payload = decode_value(Database::topics, "orders", base::as_bytes(value));
  REQUIRE(payload.ok());
  CHECK(base::as_text(*payload) == "payload");

  CHECK_FALSE(decode_value(Database::topics, "order", base::as_bytes(value)).ok());
  CHECK_FALSE(decode_value(Database::offsets, "orders", base::as_bytes(value)).ok());
  // The border between key and payload is part of what is hashed.
  const std::string shifted = encode_value(Database::topics, "ab", "c");
  CHECK_FALSE(decode_value(Database::topics, "a", base::as_bytes(shifted)).ok());
}

TEST_CASE("every flipped bit of a value is corrupt_metadata that names database and key") {
  const std::string value = encode_value(Database::offsets, "some key", "a small payload");
  for (std::size_t bit = 0; bit < value.size() * 8; ++bit) {
    CAPTURE(bit);
    std::string damaged = value;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const Result<base::ByteSpan> payload =
        decode_value(Database::offsets, "some key", base::as_bytes(damaged));
    REQUIRE_FALSE(payload.ok());
    CHECK(payload.error().code() == Errc::corrupt_metadata);
    CHECK(payload.error().message().find("database \"offsets\", key \"some key\"") != std::string::npos);
  }
}

TEST_CASE("every cut value is corrupt_metadata") {
  const std::string value = encode_value(Database::topics, "k", "payload");
  for (std::size_t bytes = 0; bytes < value.size(); ++bytes) {
    CAPTURE(bytes);
    const Result<base::ByteSpan> payload =
        decode_value(Database::topics, "k", base::as_bytes(std::string_view(value).substr(0, bytes)));
    REQUIRE_FALSE(payload.ok());
    CHECK(payload.error().code() == Errc::corrupt_metadata);
  }
}

TEST_CASE("a whole value of a newer version is refused as such, not as damage") {
  const std::string value = encode_value(Database::topics, "k", "of the future", 2);
  const Result<base::ByteSpan> payload = decode_value(Database::topics, "k", base::as_bytes(value));
  REQUIRE_FALSE(payload.ok());
  CHECK(payload.error().code() == Errc::unsupported_version);
  CHECK(payload.error().message().find("version 2") != std::string::npos);
}

}  // namespace
}  // namespace seriatim::catalog
