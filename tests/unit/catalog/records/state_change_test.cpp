#include "catalog/records/state_change.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace seriatim::catalog {
namespace {

using Bytes = std::vector<std::byte>;

TEST_CASE("a change of state that cannot be stored is left out with its name, others stay") {
  const Bytes key(1, std::byte{'k'});
  const Bytes small(3);
  const Bytes large(1'048'577);
  TableWrites writes;
  put_state_change(writes, "", key, &small);
  put_state_change(writes, "s", {}, nullptr);
  put_state_change(writes, "s", key, &large);
  put_state_change(writes, "s", key, &small);
  put_state_change(writes, "t", key, nullptr);
  REQUIRE(writes.left_out().size() == 3);
  for (const Error& error : writes.left_out()) CHECK(error.code() == Errc::invalid_argument);
  CHECK(writes.left_out()[2].message().find("state \"s\", key \"k\"") != std::string::npos);
  REQUIRE(writes.in_order().size() == 2);
  CHECK(writes.in_order()[0].kind == TableWrites::Kind::put);
  CHECK(writes.in_order()[0].key == std::string("s\0k", 3));
  CHECK(writes.in_order()[1].kind == TableWrites::Kind::erase);
  CHECK(writes.in_order()[1].key == std::string("t\0k", 3));
}

}  // namespace
}  // namespace seriatim::catalog
