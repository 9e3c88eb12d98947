#include "catalog/topic_name.hpp"

#include <doctest/doctest.h>

#include <string>

namespace seriatim::catalog {
namespace {

TEST_CASE("a topic name is 1 to 249 of Kafka's characters") {
  for (const std::string& good :
       {std::string("a"), std::string("Orders.eu_1-x"), std::string("..."), std::string(249, 'z')}) {
    CAPTURE(good);
    CHECK(check_topic_name(good).ok());
  }
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string(250, 'z'), std::string("a/b"),
        std::string("a b"), std::string("a\0b", 3), std::string("é")}) {
    CAPTURE(bad);
    const Result<void> checked = check_topic_name(bad);
    REQUIRE_FALSE(checked.ok());
    CHECK(checked.error().code() == Errc::invalid_topic);
    CHECK(checked.error().message().find("use 1 to 249") != std::string::npos);
  }
}

TEST_CASE("a group name is 1 to 255 bytes without a zero byte") {
  CHECK(check_group_name("g").ok());
  CHECK(check_group_name("any text, ümlauts / and slashes").ok());
  CHECK(check_group_name(std::string(255, 'g')).ok());
  for (const std::string& bad : {std::string(), std::string(256, 'g'), std::string("a\0b", 3)}) {
    CAPTURE(bad);
    const Result<void> checked = check_group_name(bad);
    REQUIRE_FALSE(checked.ok());
    CHECK(checked.error().code() == Errc::invalid_argument);
  }
}

}  // namespace
}  // namespace seriatim::catalog
