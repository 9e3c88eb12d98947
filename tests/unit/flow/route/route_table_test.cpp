#include "flow/route/route_table.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "flow/route/binding_rules.hpp"
#include "support/random.hpp"

namespace seriatim::test {
namespace {

using RouteTopics = std::vector<std::string_view>;
using BindingNumbers = std::vector<std::uint32_t>;
using HeaderList = std::vector<HeaderView>;

}  // namespace

TEST_CASE("each kind of binding matches by its own rule") {
  const flow::RouteTable table({
      {.topic = "t0", .routing_key = "a.b"},
      {.topic = "t1", .kind = BindingKind::pattern, .routing_key = "a.*"},
      {.topic = "t2", .kind = BindingKind::fan_out},
      {.topic = "t3", .kind = BindingKind::headers_all, .headers = {{"h", "1"}, {"g", std::nullopt}}},
      {.topic = "t4", .kind = BindingKind::headers_any, .headers = {{"h", "1"}, {"g", std::nullopt}}},
      {.topic = "t5", .routing_key = ""},
      {.topic = "t6", .routing_key = "a.*"},  // Exact: a star is a star.
  });
  CHECK(table.matching("a.b", {}) == BindingNumbers{0, 1, 2});
  CHECK(table.matching("a.*", {}) == BindingNumbers{1, 2, 6});
  CHECK(table.matching("", {}) == BindingNumbers{2, 5});
  CHECK(table.matching("x", HeaderList{{"h", "1"}}) == BindingNumbers{2, 4});
  CHECK(table.matching("x", HeaderList{{"h", "2"}}) == BindingNumbers{2});
  CHECK(table.matching("x", HeaderList{{"g", {}}}) == BindingNumbers{2, 4});
  CHECK(table.matching("x", HeaderList{{"h", "1"}, {"g", "9"}}) == BindingNumbers{2, 3, 4});
  CHECK(table.matching("x", HeaderList{{"H", "1"}}) == BindingNumbers{2});
}

TEST_CASE("of headers that repeat any may be the one, and null is no value") {
  const flow::RouteTable table({
      {.topic = "t", .kind = BindingKind::headers_all, .headers = {{"h", "1"}, {"h", "2"}}},
      {.topic = "u", .kind = BindingKind::headers_any, .headers = {{"h", ""}}},
  });
  CHECK(table.matching("x", HeaderList{{"h", "2"}, {"h", "1"}}) == BindingNumbers{0});
  CHECK(table.matching("x", HeaderList{{"h", "2"}}) == BindingNumbers{});
  CHECK(table.matching("x", HeaderList{{"h", {}}}) == BindingNumbers{});
  CHECK(table.matching("x", HeaderList{{"h", ""}}) == BindingNumbers{1});
}

TEST_CASE("a topic comes once, however many bindings name it, and topics are sorted") {
  const flow::RouteTable table({
      {.topic = "z", .routing_key = "k"},
      {.topic = "z", .kind = BindingKind::pattern, .routing_key = "#"},
      {.topic = "z", .kind = BindingKind::pattern, .routing_key = "k"},
      {.topic = "a", .kind = BindingKind::fan_out},
      {.topic = "b", .kind = BindingKind::fan_out, .priority_topics = {{1, "z"}}},
  });
  CHECK(table.topics_for({.routing_key = "k"}) == RouteTopics{"a", "b", "z"});
  CHECK(table.topics_for({.routing_key = "k", .priority = 1}) == RouteTopics{"a", "z"});
  CHECK(table.topics_for({.routing_key = "other"}) == RouteTopics{"a", "b", "z"});
}

TEST_CASE("a priority goes to the topic of the highest level that it reaches") {
  const flow::RouteTable table(
      {{.topic = "low", .routing_key = "k", .priority_topics = {{3, "mid"}, {7, "high"}}}});
  const auto topic_of = [&](std::uint8_t priority) {
    return table.topics_for({.routing_key = "k", .priority = priority});
  };
  CHECK(topic_of(0) == RouteTopics{"low"});
  CHECK(topic_of(2) == RouteTopics{"low"});
  CHECK(topic_of(3) == RouteTopics{"mid"});
  CHECK(topic_of(6) == RouteTopics{"mid"});
  CHECK(topic_of(7) == RouteTopics{"high"});
  CHECK(topic_of(255) == RouteTopics{"high"});
}

TEST_CASE("no binding that matches is no topic") {
  CHECK(flow::RouteTable(std::vector<Binding>()).topics_for({.routing_key = "k"}).empty());
  CHECK(flow::RouteTable(std::vector<Binding>{{.topic = "t", .routing_key = "k"}})
            .topics_for({.routing_key = "K"})
            .empty());
}

TEST_CASE("a table of many bindings finds what each of them alone would") {
  Random random("bindings of every kind");
  std::vector<Binding> bindings;
  const std::vector<std::string> words{"a", "b", "*", "#"};
  const auto word = [&](std::int64_t of) { return words[static_cast<std::size_t>(random.between(0, of))]; };
  for (int i = 0; i < 200; ++i) {
    Binding binding{.topic = "t", .kind = static_cast<BindingKind>(random.between(0, 4))};
    if (binding.kind == BindingKind::exact) binding.routing_key = word(1) + "." + word(1);
    if (binding.kind == BindingKind::pattern) binding.routing_key = word(3) + "." + word(3) + "." + word(3);
    if (binding.kind == BindingKind::headers_all || binding.kind == BindingKind::headers_any)
      binding.headers = {{word(1), word(1)}, {word(1), std::nullopt}};
    bindings.push_back(binding);
  }
  const flow::RouteTable all(bindings);
  for (int tried = 0; tried < 100; ++tried) {
    const std::string key = word(1) + (random.one_in(2) ? "." + word(1) : "");
    const std::string name = word(1);
    const std::string value = word(1);
    const HeaderList headers{{name, value}};
    BindingNumbers expected;
    for (std::uint32_t i = 0; i < bindings.size(); ++i) {
      if (!flow::RouteTable(std::vector<Binding>{bindings[i]}).matching(key, headers).empty())
        expected.push_back(i);
    }
    CHECK(all.matching(key, headers) == expected);
  }
}

}  // namespace seriatim::test
