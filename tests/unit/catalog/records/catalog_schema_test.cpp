#include "catalog/records/catalog_schema.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

namespace seriatim::catalog {
namespace {

Id id_from(unsigned char byte) {
  Id id{};
  id.fill(static_cast<std::byte>(byte));
  return id;
}

TEST_CASE("an offset key comes apart into what it was made of") {
  const std::string key = offset_key("my group", id_from(7), 42);
  CHECK(key.size() == 8 + 1 + 16 + 4);
  OffsetKey parts;
  REQUIRE(split_offset_key(key, parts));
  CHECK(parts.group == "my group");
  CHECK(parts.topic_id == id_from(7));
  CHECK(parts.partition == 42);
}

TEST_CASE("bytes that are no offset key are refused") {
  const std::string key = offset_key("g", id_from(7), 42);
  OffsetKey parts;
  CHECK_FALSE(split_offset_key("", parts));
  CHECK_FALSE(split_offset_key(key.substr(1), parts));                    // empty group
  CHECK_FALSE(split_offset_key(key.substr(0, key.size() - 1), parts));    // cut
  CHECK_FALSE(split_offset_key(offset_key("g", id_from(7), -1), parts));  // no such partition
  CHECK_FALSE(split_offset_key(offset_key("g", id_from(7), 10'000), parts));
}

TEST_CASE("partitions of a topic sort by number") {
  std::vector<std::string> keys;
  for (const PartitionId partition : {0, 1, 2, 9, 10, 255, 256, 9'999}) {
    keys.push_back(partition_key(id_from(1), partition));
  }
  CHECK(std::is_sorted(keys.begin(), keys.end()));
}

TEST_CASE("all keys of a group are one run, also beside groups that begin with its name") {
  const std::vector<std::string> groups{"a", "a\x01", "a ", "ab", "b"};
  for (const std::string& group : groups) {
    for (const std::string& other : groups) {
      const std::string key = offset_key(other, id_from(255), 3);
      const bool is_inside = key >= group_prefix(group) && key < after_group(group);
      CHECK(is_inside == (group == other));
    }
  }
}

TEST_CASE("a key is shown as text if it is some, else in hexadecimal, and never at full length") {
  CHECK(printable_key("orders") == "\"orders\"");
  CHECK(printable_key(std::string("\x01\xff", 2)) == "0x01ff");
  CHECK(printable_key("") == "0x");
  CHECK(printable_key("a\"b") == "0x612262");
  CHECK(printable_key(std::string(100, 'x')) == "\"" + std::string(64, 'x') + "...\"");
}

TEST_CASE("a state key comes apart into name and key, whatever bytes the key has") {
  for (const std::string& key :
       {std::string("k"), std::string("\0", 1), std::string("\0\xff\0", 3), std::string(400, '\xff')}) {
    StateKey parts;
    const std::string stored = state_key("my state", key);
    REQUIRE(split_state_key(stored, parts));
    CHECK(parts.name == "my state");
    CHECK(parts.key == key);
    CHECK(stored >= state_prefix("my state"));
    CHECK(stored < after_state("my state"));
    CHECK_FALSE((stored >= state_prefix("my") && stored < after_state("my")));
  }
}

TEST_CASE("bytes that are no state key are refused") {
  StateKey parts;
  CHECK_FALSE(split_state_key("", parts));
  CHECK_FALSE(split_state_key("name", parts));
  CHECK_FALSE(split_state_key(state_key("", "key"), parts));
  CHECK_FALSE(split_state_key(state_key("name", ""), parts));
  CHECK_FALSE(split_state_key(state_key(std::string(101, 'n'), "key"), parts));
  CHECK_FALSE(split_state_key(state_key("name", std::string(401, 'k')), parts));
}

}  // namespace
}  // namespace seriatim::catalog
