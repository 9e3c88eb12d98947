#include "format/topic_name.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace seriatim;
using namespace seriatim::format;

TEST_CASE("names that begin with two underscores are legal, and not for applications") {
  for (const char* name : {"__", "__x", "__consumer_offsets"}) {
    CHECK(check_topic_name(name));
    CHECK(is_own_name(name));
    CHECK(check_new_topic_name(name).error().code() == Errc::invalid_topic);
  }
  for (const char* name : {"_", "_x", "x__", "x"}) CHECK(check_new_topic_name(name));
  CHECK(check_new_topic_name("a b").error().code() == Errc::invalid_topic);
}

TEST_CASE("legal topic names are accepted") {
  for (const std::string& name :
       {std::string("a"), std::string("orders.v1_EU-9"), std::string("..."), std::string("-"),
        std::string("__consumer_offsets"), std::string(249, 'x')}) {
    CAPTURE(name);
    CHECK(is_topic_name(name));
    CHECK(check_topic_name(name));
  }
}

TEST_CASE("illegal topic names are refused, and the message says why") {
  struct Row {
    std::string name;
    std::string reason;
  };
  for (const Row& row :
       {Row{"", "empty"}, Row{".", "directory"}, Row{"..", "directory"},
        Row{std::string(250, 'x'), "250 characters"}, Row{"a/b", "position 1"}, Row{"a b", "position 1"},
        Row{"größe", "position 2"}, Row{std::string("a\0b", 3), "position 1"}, Row{"abc\n", "position 3"}}) {
    CAPTURE(row.name);
    CHECK_FALSE(is_topic_name(row.name));
    const Result<void> checked = check_topic_name(row.name);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code() == Errc::invalid_topic);
    CHECK(checked.error().message().find(row.reason) != std::string::npos);
    CHECK(checked.error().message().find('\n') == std::string::npos);
  }
}
