#include "catalog/records/topic_name.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

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

TEST_CASE("producers and transactional ids are named as groups are") {
  for (const auto check :
       {check_producer_name, static_cast<Result<void> (*)(std::string_view)>(check_transactional_id)}) {
    CHECK(check("p").ok());
    CHECK(check(std::string(255, 'p')).ok());
    for (const std::string& bad : {std::string(), std::string(256, 'p'), std::string("a\0b", 3)}) {
      const Result<void> checked = check(bad);
      REQUIRE_FALSE(checked.ok());
      CHECK(checked.error().code() == Errc::invalid_argument);
      CHECK(checked.error().message().find("use 1 to 255 bytes") != std::string::npos);
    }
  }
}

TEST_CASE("a state has a name of 1 to 100 bytes, keys of 1 to 400 of any, and values of up to 1 MiB") {
  const auto refused = [](const Result<void>& checked, const char* part_of_message) {
    REQUIRE_FALSE(checked.ok());
    CHECK(checked.error().code() == Errc::invalid_argument);
    CAPTURE(checked.error().message());
    CHECK(checked.error().message().find(part_of_message) != std::string::npos);
  };
  CHECK(check_state_name(std::string(100, 's')).ok());
  for (const std::string& bad : {std::string(), std::string(101, 's'), std::string("a\0b", 3)})
    refused(check_state_name(bad), "use 1 to 100 bytes");
  CHECK(check_state_key(base::as_bytes(std::string_view("\0", 1))).ok());
  CHECK(check_state_key(std::vector<std::byte>(400)).ok());
  refused(check_state_key({}), "use 1 to 400 bytes");
  refused(check_state_key(std::vector<std::byte>(401)), "use 1 to 400 bytes");
  CHECK(check_state_value({}).ok());
  CHECK(check_state_value(std::vector<std::byte>(1'048'576)).ok());
  refused(check_state_value(std::vector<std::byte>(1'048'577)), "at most 1048576 bytes");
}

}  // namespace
}  // namespace seriatim::catalog
