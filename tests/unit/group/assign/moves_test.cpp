#include "group/assign/moves.hpp"

#include <doctest/doctest.h>

#include <optional>

namespace assign = seriatim::group::assign;
using assign::Place;

TEST_CASE("moves: a partition that went the other way is moved back instead") {
  assign::Moves moves;
  moves.note({0, 5}, 1, 2);
  CHECK(moves.one_to_return({0, 7}, 2, 1) == Place{0, 5});
  CHECK_FALSE(moves.one_to_return({0, 7}, 1, 2).has_value());
  CHECK_FALSE(moves.one_to_return({1, 7}, 2, 1).has_value());
}

TEST_CASE("moves: of several moves of a partition the first owner and the last count") {
  assign::Moves moves;
  moves.note({0, 5}, 1, 2);
  moves.note({0, 5}, 2, 3);
  CHECK(moves.one_to_return({0, 7}, 3, 1) == Place{0, 5});
  CHECK_FALSE(moves.one_to_return({0, 7}, 2, 1).has_value());
  moves.note({0, 5}, 3, 1);
  CHECK_FALSE(moves.one_to_return({0, 7}, 3, 1).has_value());
}

TEST_CASE("moves: a partition that was moved is looked at from where it came") {
  assign::Moves moves;
  moves.note({0, 5}, 1, 2);
  moves.note({0, 7}, 2, 3);
  CHECK(moves.one_to_return({0, 7}, 3, 1) == Place{0, 5});
}
