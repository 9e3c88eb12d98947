#include "catalog/records/transactional_id.hpp"

#include <doctest/doctest.h>

#include <string>

namespace seriatim::catalog {
namespace {

TEST_CASE("a transactional id that cannot be stored is left out with its name, others stay") {
  TableWrites writes;
  put_transactional_id(writes, "", {.producer_id = 1});
  put_transactional_id(writes, "before", {.producer_id = -1});
  put_transactional_id(writes, "long", {.producer_id = 1, .timeout_ms = -2'000'000'000});
  put_transactional_id(writes, "fine", {.producer_id = 2, .timeout_ms = 5});
  REQUIRE(writes.left_out().size() == 3);
  for (const Error& error : writes.left_out()) CHECK(error.code() == Errc::invalid_argument);
  CHECK(writes.left_out()[2].message().find("\"long\"") != std::string::npos);
  REQUIRE(writes.in_order().size() == 1);
  CHECK(writes.in_order()[0].key == "fine");
  CHECK(writes.in_order()[0].table == Database::transactional_ids);
}

}  // namespace
}  // namespace seriatim::catalog
