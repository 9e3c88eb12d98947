#include "catalog/records/committed_offset.hpp"

#include <doctest/doctest.h>

#include <string>

#include "catalog/records/value_codec.hpp"
#include "support/gathered_offsets.hpp"

namespace seriatim::catalog {
namespace {

constexpr Id committed_topic{std::byte{7}};

TEST_CASE("a position that cannot be stored is left out with its group's name and its place, others stay") {
  TableWrites writes;
  put_committed_offset(writes, "g", {"t", 1}, committed_topic, {1, std::string(4'096, 'm'), 5});
  put_committed_offset(writes, "", {"t", 1}, committed_topic, {1, "", 0});
  put_committed_offset(writes, std::string("a\0b", 3), {"t", 1}, committed_topic, {1, "", 0});
  put_committed_offset(writes, "g", {"t", 1}, committed_topic, {-1, "", 0});
  put_committed_offset(writes, "bad", {"t", 2}, committed_topic, {1, std::string(4'097, 'm'), 0});
  REQUIRE(writes.left_out().size() == 4);
  CHECK(writes.left_out()[0].code() == Errc::invalid_argument);
  CHECK(writes.left_out()[1].code() == Errc::invalid_argument);
  CHECK(writes.left_out()[2].message().find("\"g\"") != std::string::npos);
  CHECK(writes.left_out()[2].message().find("t-1") != std::string::npos);
  CHECK(writes.left_out()[3].code() == Errc::offset_metadata_too_large);
  CHECK(writes.left_out()[3].message().find("\"bad\"") != std::string::npos);
  const auto kept = test::offsets_in(writes);
  REQUIRE(kept.offsets.size() == 1);
  REQUIRE(kept.offsets.at("g").size() == 1);
  CHECK(kept.offsets.at("g")[0].topic_id == committed_topic);
  CHECK(kept.offsets.at("g")[0].partition == 1);
  CHECK(kept.offsets.at("g")[0].committed == CommittedOffset{1, std::string(4'096, 'm'), 5});
}

TEST_CASE("the end of a group that cannot be stored is left out, and forgets no other group") {
  TableWrites writes;
  forget_group(writes, "");
  forget_group(writes, "gone");
  REQUIRE(writes.left_out().size() == 1);
  CHECK(test::offsets_in(writes).forgotten_groups == std::vector<std::string>{"gone"});
}

}  // namespace
}  // namespace seriatim::catalog
