#include "flow/route/binding_rules.hpp"

#include <doctest/doctest.h>

#include <string>

#include "flow/route/binding_codec.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {

using flow::check_binding;
using flow::words_of;
using KeyWords = std::vector<std::string_view>;

TEST_CASE("the words of a routing key are what the dots part; an empty key has none") {
  CHECK(words_of("").empty());
  CHECK(words_of("a") == KeyWords{"a"});
  CHECK(words_of("a.b") == KeyWords{"a", "b"});
  CHECK(words_of(".") == KeyWords{"", ""});
  CHECK(words_of("a..b.") == KeyWords{"a", "", "b", ""});
}

TEST_CASE("a binding that could never be meant is refused with the reason") {
  const std::string key(255, 'k');
  CHECK(check_binding({.topic = "t", .routing_key = key}));
  CHECK(code_of(check_binding({.topic = "t", .routing_key = key + "k"})) == Errc::invalid_argument);
  CHECK(code_of(check_binding({.routing_key = "k"})) == Errc::invalid_argument);
  CHECK(code_of(check_binding({.topic = std::string(250, 't')})) == Errc::invalid_argument);
  CHECK(code_of(check_binding({.topic = "t", .priority_topics = {{5, ""}}})) == Errc::invalid_argument);
  CHECK(code_of(check_binding({.topic = "t", .kind = static_cast<BindingKind>(5)})) ==
        Errc::invalid_argument);
  CHECK(code_of(check_binding({.topic = "t", .kind = BindingKind::fan_out, .routing_key = "k"})) ==
        Errc::invalid_argument);
  CHECK(code_of(check_binding({.topic = "t", .headers = {{"h", "v"}}})) == Errc::invalid_argument);
  const auto no_headers = check_binding({.topic = "t", .kind = BindingKind::headers_all});
  CHECK(message_of(no_headers).find("fan_out") != std::string::npos);
}

TEST_CASE("the headers of a binding are limited in number and bytes") {
  Binding binding{.topic = "t", .kind = BindingKind::headers_any};
  for (int i = 0; i < 64; ++i) binding.headers.emplace_back("h" + std::to_string(i), "v");
  CHECK(check_binding(binding));
  binding.headers.emplace_back("one more", "v");
  CHECK(code_of(check_binding(binding)) == Errc::invalid_argument);
  binding.headers = {{"h", std::string((32U << 10U) - 1, 'v')}};
  CHECK(check_binding(binding));
  binding.headers = {{"h", std::string(32U << 10U, 'v')}};
  CHECK(code_of(check_binding(binding)) == Errc::invalid_argument);
  binding.headers = {{std::string(256, 'h'), "v"}};
  CHECK(code_of(check_binding(binding)) == Errc::invalid_argument);
  binding.headers = {{"", "v"}};
  CHECK(code_of(check_binding(binding)) == Errc::invalid_argument);
}

TEST_CASE("a message has a routing key of at most 255 bytes, and a time to live that is not negative") {
  const std::string key(256, 'k');
  CHECK(flow::check_message({.routing_key = std::string_view(key).substr(1)}));
  CHECK(code_of(flow::check_message({.routing_key = key})) == Errc::invalid_argument);
  CHECK(flow::check_message({.ttl = std::chrono::milliseconds(0)}));
  CHECK(code_of(flow::check_message({.ttl = std::chrono::milliseconds(-1)})) == Errc::invalid_argument);
}

TEST_CASE("a router has a name of 1 to 80 bytes without a zero byte") {
  CHECK(flow::check_router_name(std::string(80, 'n')));
  CHECK(code_of(flow::check_router_name("")) == Errc::invalid_argument);
  CHECK(code_of(flow::check_router_name(std::string(81, 'n'))) == Errc::invalid_argument);
  CHECK(code_of(flow::check_router_name(std::string("a\0b", 3))) == Errc::invalid_argument);
}

TEST_CASE(
    "bindings that say the same are stored in the same bytes, whatever the order of their headers and their "
    "ids") {
  const Binding one = flow::normalised({.topic = "t",
                                        .kind = BindingKind::headers_all,
                                        .headers = {{"b", "2"}, {"a", std::nullopt}, {"b", "2"}},
                                        .id = 1});
  Binding other = flow::normalised({.topic = "t",
                                    .kind = BindingKind::headers_all,
                                    .headers = {{"a", std::nullopt}, {"b", "2"}},
                                    .id = 7});
  CHECK(flow::encode(one) == flow::encode(other));
  other.priority_topics = {{1, "u"}};
  CHECK(flow::encode(one) != flow::encode(other));
  CHECK(flow::topics_of(other) == KeyWords{"t", "u"});
}

}  // namespace seriatim::test
