#include "flow/route/route_memo.hpp"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include "support/random.hpp"
#include "unit/flow/route/router_fixture.hpp"

namespace seriatim::test {
namespace {

using MemoTopics = std::vector<std::string_view>;

std::shared_ptr<flow::RouteBoard> board_of(const Engine& engine, const std::string& name) {
  return must(flow::RouteBoard::of(engine, {.name = name}));
}

}  // namespace

TEST_CASE("a thread's memo says what the table says, whatever was asked before") {
  const RouterFixture f;
  const auto board = board_of(f.engine, "r");
  must(board->change({.bind = {{.topic = "a", .kind = BindingKind::pattern, .routing_key = "*.1.#"},
                               {.topic = "b", .routing_key = "k.2", .priority_topics = {{2, "c"}}},
                               {.topic = "c", .kind = BindingKind::pattern, .routing_key = "k.*"}}}));
  Random random("memo of routing keys");
  flow::RouteMemo memo;
  for (int i = 0; i < 2'000; ++i) {
    std::string key = random.one_in(2) ? "k." : "l.";
    key += std::to_string(random.between(0, 150));
    const RoutedMessage message{.routing_key = key,
                                .priority = static_cast<std::uint8_t>(random.between(0, 3))};
    const auto snapshot = board->snapshot();
    REQUIRE(memo.topics_for(*board, message) == snapshot.table->topics_for(message));
  }
}

TEST_CASE("a change is seen by the memo of every thread that asks behind it, and boards are not mixed up") {
  const RouterFixture f;
  const auto board = board_of(f.engine, "r");
  const auto other = board_of(f.engine, "s");
  const BindingId id = must(board->change({.bind = {exactly("k", "a")}})).front();
  must(other->change({.bind = {exactly("k", "c")}}));
  flow::RouteMemo memo;
  CHECK(memo.topics_for(*board, {.routing_key = "k"}) == MemoTopics{"a"});
  CHECK(memo.topics_for(*other, {.routing_key = "k"}) == MemoTopics{"c"});
  CHECK(memo.topics_for(*board, {.routing_key = "k"}) == MemoTopics{"a"});
  std::thread([&] { must(board->change({.unbind = {id}, .bind = {exactly("k", "b")}})); }).join();
  CHECK(memo.topics_for(*board, {.routing_key = "k"}) == MemoTopics{"b"});
  CHECK(memo.topics_for(*board, {.routing_key = "x"}).empty());
}

TEST_CASE("where headers have a say, a message is matched by its own") {
  const RouterFixture f;
  const auto board = board_of(f.engine, "r");
  must(board->change({.bind = {{.topic = "a", .kind = BindingKind::headers_any, .headers = {{"h", "1"}}}}}));
  flow::RouteMemo memo;
  const std::vector<HeaderView> one{{"h", "1"}};
  const std::vector<HeaderView> two{{"h", "2"}};
  for (int i = 0; i < 2; ++i) {
    CHECK(memo.topics_for(*board, {.routing_key = "k", .record = {.headers = one}}) == MemoTopics{"a"});
    CHECK(memo.topics_for(*board, {.routing_key = "k", .record = {.headers = two}}).empty());
  }
}

}  // namespace seriatim::test
