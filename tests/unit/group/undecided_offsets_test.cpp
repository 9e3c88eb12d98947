#include "group/undecided_offsets.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <vector>

namespace seriatim::group {
namespace {

TEST_CASE("nothing is done to a group while anybody sends it offsets") {
  UndecidedOffsets undecided;
  int steps = 0;
  const auto try_step = [&](std::string_view group) {
    return undecided.unless_sending(group, [&] { ++steps; });
  };
  CHECK(try_step("g"));
  std::vector<UndecidedOffsets::Sending> sendings;
  sendings.emplace_back(undecided, "g");
  sendings.emplace_back(undecided, "g");  // Moves the first.
  CHECK_FALSE(try_step("g"));
  CHECK(try_step("h"));
  sendings.pop_back();
  CHECK_FALSE(try_step("g"));
  sendings.clear();
  CHECK(try_step("g"));
  CHECK(steps == 3);
}

}  // namespace
}  // namespace seriatim::group
