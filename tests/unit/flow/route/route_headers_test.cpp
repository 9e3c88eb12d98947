#include "flow/route/route_headers.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

namespace seriatim::test {
namespace {

using std::chrono::milliseconds;

std::string route_headers(const RoutedMessage& message) {
  std::string text;
  const flow::RouteHeaders headers(message, [] { return Timestamp(milliseconds(1000)); });
  for (const HeaderView& header : headers.view())
    text += std::string(header.key) + "=" +
            (header.value.is_null() ? "null" : std::string(header.value.text())) + ";";
  return text;
}

}  // namespace

TEST_CASE("a routed record says its routing key, its priority if it has one, and when it expires") {
  CHECK(route_headers({.routing_key = "a.b"}) == "seriatim.routing_key=a.b;");
  CHECK(route_headers({}) == "seriatim.routing_key=;");
  CHECK(route_headers({.routing_key = "k", .priority = 9, .ttl = milliseconds(5)}) ==
        "seriatim.routing_key=k;seriatim.priority=9;seriatim.expires_ms=1005;");
  CHECK(route_headers({.routing_key = "k", .ttl = milliseconds(0)}) ==
        "seriatim.routing_key=k;seriatim.expires_ms=1000;");
}

TEST_CASE("a time to live beyond the last timestamp is for ever") {
  CHECK(route_headers({.routing_key = "k", .ttl = milliseconds::max()}) == "seriatim.routing_key=k;");
  const milliseconds last = Timestamp::max().time_since_epoch() - milliseconds(1000);
  CHECK(route_headers({.routing_key = "k", .ttl = last}) ==
        "seriatim.routing_key=k;seriatim.expires_ms=9223372036854775807;");
}

TEST_CASE("the record's own headers come first, but for those that an earlier router wrote") {
  const std::vector<HeaderView> own{{"h", "1"},
                                    {"seriatim.routing_key", "old"},
                                    {"seriatim.priority", "3"},
                                    {"seriatim.expires_ms", "7"},
                                    {"n", {}}};
  CHECK(route_headers({.routing_key = "k", .record = {.headers = own}}) ==
        "h=1;n=null;seriatim.routing_key=k;");
}

TEST_CASE("a record keeps its headers, however many they are") {
  for (const std::size_t count : {4U, 5U, 6U, 7U, 100U}) {
    std::vector<HeaderView> own(count, HeaderView{"h", "v"});
    std::string expected;
    for (std::size_t i = 0; i < count; ++i) expected += "h=v;";
    CHECK(route_headers({.routing_key = "k", .record = {.headers = own}, .priority = 1}) ==
          expected + "seriatim.routing_key=k;seriatim.priority=1;");
  }
}

}  // namespace seriatim::test
