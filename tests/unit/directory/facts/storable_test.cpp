#include "directory/facts/storable.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace seriatim::test {

TEST_CASE("what the catalog would refuse is left out and told, and all else stays") {
  const std::vector<std::byte> key{std::byte{1}};
  catalog::Checkpoint gathered{
      .covered_lsn = 7,
      .forgotten_groups = {"", "gone"},
      .offsets = {{"", {{{"t", 0}, {.offset = 1}}}},
                  {"good", {{{"t", 0}, {.offset = 1}}, {{"t", 1}, {.offset = -1}}}},
                  {"bad", {{{"t", 1}, {.offset = 1, .metadata = std::string(5'000, 'm')}}}}},
      .transactional_ids = {{"long", {.producer_id = 1, .timeout_ms = -2'000'000'000}},
                            {"fine", {.producer_id = 2, .timeout_ms = 5}}},
      .state = {{.name = "s", .key = {}}, {.name = "s", .key = key}}};
  const auto refused = directory::leave_out_unstorable(gathered);
  REQUIRE(refused.size() == 6);
  for (const Error& error : refused)
    CHECK(error.message().find("left out of the checkpoint") != std::string::npos);
  CHECK(refused[4].message().find("\"long\"") != std::string::npos);
  CHECK(gathered.forgotten_groups == std::vector<std::string>{"gone"});
  REQUIRE(gathered.offsets.size() == 1);
  REQUIRE(gathered.offsets.at("good").size() == 1);
  CHECK(gathered.offsets.at("good")[0].topic_partition.partition == 0);
  REQUIRE(gathered.transactional_ids.size() == 1);
  CHECK(gathered.transactional_ids[0].first == "fine");
  REQUIRE(gathered.state.size() == 1);
  CHECK(gathered.covered_lsn == 7U);
  CHECK(directory::leave_out_unstorable(gathered).empty());
}

}  // namespace seriatim::test
