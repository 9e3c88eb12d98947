// Bindings: durable, listed, changed while messages are published, the same for all routers of a name.
#include "flow/route/route_board.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "flow/own_tables.hpp"
#include "unit/flow/route/router_fixture.hpp"

namespace seriatim::test {
namespace {

std::vector<BindingId> ids_in(const Router& router) {
  std::vector<BindingId> ids;
  for (const Binding& binding : must(router.bindings())) ids.push_back(binding.id);
  return ids;
}
using BindingIds = std::vector<BindingId>;

/// Of threads that publish, each message to one topic.
struct Publishing {
  void publish_until_over(Router& router) {
    while (!is_over) {
      const auto routed = router.publish(message_of_key("k"));
      if (!routed || routed->targets.size() != 1) ++wrong;
      ++published;
    }
  }

  std::atomic<bool> is_over{false};
  std::atomic<int> wrong{0};
  std::atomic<int> published{0};
};

// With a router of its own; an error ends it early.
void bind_ten(const Engine& engine, int thread) {
  auto router = Router::open(engine, {.name = "r"});
  for (int i = 0; router && i < 10; ++i) {
    const auto bound = router->bind(exactly(std::to_string(thread * 100 + i), "a"));
    if (!bound) return;
  }
}

}  // namespace

TEST_CASE("a binding holds from the return of bind to that of unbind, and its id is never given again") {
  const RouterFixture f;
  Router router = f.router();
  const BindingId a = must(router.bind(exactly("k", "a")));
  const BindingId b = must(router.bind(exactly("k", "b")));
  CHECK(topics_of_routed(must(router.publish(message_of_key("k")))) == "a;b;");
  must(router.unbind(b));
  CHECK(topics_of_routed(must(router.publish(message_of_key("k")))) == "a;");
  CHECK(must(router.bind(exactly("k", "b"))) == b + 1);
  CHECK(ids_in(router) == BindingIds{a, b + 1});
  CHECK(code_of(router.unbind(b)) == Errc::not_found);
}

TEST_CASE("what is bound again is not there twice") {
  const RouterFixture f;
  Router router = f.router();
  const Binding binding{.topic = "a", .kind = BindingKind::headers_any, .headers = {{"h", "1"}, {"g", "2"}}};
  const BindingId first = must(router.bind(binding));
  Binding turned = binding;
  std::swap(turned.headers[0], turned.headers[1]);
  turned.id = 77;
  CHECK(must(router.bind(turned)) == first);
  CHECK(must(router.change({.bind = {binding, exactly("k", "b"), binding, exactly("k", "b")}})) ==
        BindingIds{first, first + 1, first, first + 1});
  CHECK(ids_in(router) == BindingIds{first, first + 1});
}

TEST_CASE("a change happens whole or not at all") {
  const RouterFixture f;
  Router router = f.router();
  const BindingId a = must(router.bind(exactly("k", "a")));
  CHECK(code_of(router.change({.unbind = {a, 9}, .bind = {exactly("k", "b")}})) == Errc::not_found);
  CHECK(code_of(router.change({.unbind = {a}, .bind = {exactly("k", "no")}})) ==
        Errc::unknown_topic_or_partition);
  CHECK(code_of(router.bind({.topic = "a", .routing_key = "k", .priority_topics = {{1, "no"}}})) ==
        Errc::unknown_topic_or_partition);
  CHECK(code_of(router.change({.unbind = {a}, .bind = {Binding{}}})) == Errc::invalid_argument);
  CHECK(code_of(router.change({.unbind = {a, a}})) == Errc::not_found);
  CHECK(ids_in(router) == BindingIds{a});
  CHECK(topics_of_routed(must(router.publish(message_of_key("k")))) == "a;");
  CHECK(must(router.change({.unbind = {a}, .bind = {exactly("k", "b")}})) == BindingIds{a + 1});
  CHECK(topics_of_routed(must(router.publish(message_of_key("k")))) == "b;");
}

TEST_CASE("bindings survive the engine, and the death of the process") {
  RouterFixture f;
  {
    Router router = f.router();
    must(router.bind(exactly("k", "a")));
    const BindingId b = must(router.bind(exactly("k", "b")));
    must(router.bind(everything("c")));
    must(router.unbind(b));
  }
  const Engine copy = open_engine(copy_of(f.engine, f.copies));
  must(f.engine.close());
  f.engine = open_engine(f.dir / "data");
  for (const Engine& engine : {copy, f.engine}) {
    Router router = must(Router::open(engine, {.name = "r"}));
    CHECK(ids_in(router) == BindingIds{1, 3});
    CHECK(topics_of_routed(must(router.publish(message_of_key("k")))) == "a;c;");
    CHECK(must(router.bind(exactly("k", "b"))) == 4);
  }
}

TEST_CASE("routers of one name share their bindings, those of others do not") {
  const RouterFixture f;
  Router one = f.router();
  Router two = f.router();
  Router stranger = f.router({.name = "s"});
  const BindingId id = must(one.bind(everything("a")));
  must(stranger.bind(everything("b")));
  CHECK(topics_of_routed(must(two.publish(message_of_key("k")))) == "a;");
  must(two.bind(everything("c")));
  must(two.unbind(id));
  CHECK(topics_of_routed(must(one.publish(message_of_key("k")))) == "c;");
  CHECK(ids_in(one) == ids_in(two));
}

TEST_CASE("routers of one name in two engines of one process are two") {
  const RouterFixture f;
  const RouterFixture g;
  Router here = f.router();
  Router there = g.router();
  must(here.bind(everything("a")));
  CHECK(must(there.bindings()).empty());
  CHECK(code_of(there.publish(message_of_key("k"))) == Errc::not_found);
}

TEST_CASE("a router of a name that is open with other options is refused, until that is gone") {
  const RouterFixture f;
  {
    Router router = f.router();
    CHECK(code_of(Router::open(f.engine, {.name = "r", .acks = Acks::leader})) == Errc::invalid_state);
    CHECK(code_of(Router::open(f.engine, {.name = "r", .alternate_topic = "a"})) == Errc::invalid_state);
    must(Router::open(f.engine, {.name = "r"}));
  }
  must(Router::open(f.engine, {.name = "r", .acks = Acks::leader, .alternate_topic = "a"}));
}

TEST_CASE(
    "a router outlives the one that opened the name first, and an engine that was opened again has its own") {
  RouterFixture f;
  std::optional<Router> first = f.router();
  Router second = f.router();
  must(first->bind(everything("a")));
  first.reset();
  must(second.bind(everything("b")));
  CHECK(topics_of_routed(must(second.publish(message_of_key("k")))) == "a;b;");
  must(f.engine.close());
  f.engine = open_engine(f.dir / "data");
  Router third = f.router();  // Beside `second`, whose engine is closed.
  CHECK(topics_of_routed(must(third.publish(message_of_key("k")))) == "a;b;");
  CHECK(code_of(second.publish(message_of_key("k"))) == Errc::closed);
}

TEST_CASE("while bindings change, each publish goes by those of one moment") {
  const RouterFixture f;
  Router router = f.router({.acks = Acks::leader});
  Publishing work;
  BindingId at = must(router.bind(exactly("k", "a")));
  bool is_enough = false;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back([&] { work.publish_until_over(router); });
    for (int i = 0; i < 40; ++i)
      at = must(router.change({.unbind = {at}, .bind = {exactly("k", i % 2 == 0 ? "b" : "a")}})).front();
    is_enough = comes_true([&] { return work.published > 50; });
    work.is_over = true;
  }
  CHECK(is_enough);
  CHECK(work.wrong == 0);
  CHECK(must(router.bindings()).size() == 1);
  CHECK(committed_values(f.engine, "a").size() + committed_values(f.engine, "b").size() ==
        static_cast<std::size_t>(work.published));
}

TEST_CASE("threads that bind at the same time lose no binding of each other") {
  const RouterFixture f;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 3; ++thread)
      threads.emplace_back([&f, thread] { bind_ten(f.engine, thread); });
  }
  Router router = f.router();
  CHECK(must(router.bindings()).size() == 30);
  CHECK(ids_in(router).back() == 30);
  CHECK(must(list_bindings(f.engine, "r")).size() == 30);
}

TEST_CASE("a table of bindings that cannot be read is told by open") {
  const RouterFixture f;
  {
    TransactionalProducer producer = transactional(f.engine);
    Transaction transaction = must(producer.begin());
    must(flow::own_table(transaction, flow::route_state("r")).put("b", "?"));
    must(transaction.commit());
  }
  CHECK(code_of(Router::open(f.engine, {.name = "r"})) == Errc::corrupt_metadata);
}

}  // namespace seriatim::test
