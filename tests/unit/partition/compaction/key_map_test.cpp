#include "partition/compaction/key_map.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <string>

#include "support/random.hpp"

namespace seriatim::test {
namespace {

using partition::KeyMap;

base::ByteSpan bytes_of(const std::string& key) { return base::as_bytes(key); }

TEST_CASE("the map agrees with std::map about the newest offset of every key") {
  Random random("key map against std::map");
  KeyMap keys(24 * 500);
  std::map<std::string, Offset> model;
  for (Offset offset = 0; offset < 5'000; ++offset) {
    const std::string key = std::to_string(random.between(0, 400));
    REQUIRE(keys.put(bytes_of(key), offset));
    model[key] = offset;
  }
  CHECK(keys.size() == model.size());
  for (int i = 0; i <= 450; ++i) {
    const std::string key = std::to_string(i);
    const auto known = model.find(key);
    CHECK(keys.newest(bytes_of(key)) == (known == model.end() ? -1 : known->second));
  }
}

TEST_CASE("memory for a number of keys holds that many, takes little more, and never more than is allowed") {
  constexpr std::uint64_t bytes_max = 128ULL << 20;
  for (std::uint64_t count = 0; count < 3'000; ++count) {
    const std::uint64_t bytes = KeyMap::bytes_for(count, bytes_max);
    CAPTURE(count);
    REQUIRE(KeyMap(bytes).capacity() >= count);
    REQUIRE(bytes <= 24 * (count * 10 / 9 + 1));
  }
  CHECK(KeyMap::bytes_for(1'000, 24 * 10) == 24 * 10);
  CHECK(KeyMap::bytes_for(std::numeric_limits<std::uint64_t>::max(), bytes_max) == bytes_max);
}

TEST_CASE("a full map refuses new keys, keeps what it has, and still takes newer offsets of keys it knows") {
  KeyMap keys(24 * 10);
  CHECK(keys.capacity() == 9);
  for (int i = 0; i < 9; ++i) REQUIRE(keys.put(bytes_of(std::to_string(i)), i));
  CHECK_FALSE(keys.put(bytes_of("one too many"), 9));
  CHECK(keys.size() == 9);
  CHECK(keys.newest(bytes_of("one too many")) == -1);
  CHECK(keys.put(bytes_of("4"), 100));
  for (int i = 0; i < 9; ++i) CHECK(keys.newest(bytes_of(std::to_string(i))) == (i == 4 ? 100 : i));
}

TEST_CASE("the smallest map holds one key and still ends its searches") {
  KeyMap keys(0);
  CHECK(keys.capacity() == 1);
  CHECK(keys.put(bytes_of("a"), 0));
  CHECK_FALSE(keys.put(bytes_of("b"), 1));
  CHECK(keys.newest(bytes_of("a")) == 0);
  CHECK(keys.newest(bytes_of("b")) == -1);
}

TEST_CASE("the empty key is a key, and offset 0 is an offset") {
  KeyMap keys(24 * 10);
  CHECK(keys.newest({}) == -1);
  CHECK(keys.put({}, 0));
  CHECK(keys.newest({}) == 0);
}

}  // namespace
}  // namespace seriatim::test
