// Routers as an application uses them.
#include <seriatim/flow/router.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "unit/flow/route/router_fixture.hpp"

namespace seriatim::test {

TEST_CASE("a message comes to every topic whose binding matches, once, with all that it has") {
  const RouterFixture f;
  Router router = f.router();
  must(router.bind(exactly("order.eu", "b")));
  must(router.bind({.topic = "a", .kind = BindingKind::pattern, .routing_key = "order.*"}));
  must(router.bind({.topic = "a", .kind = BindingKind::pattern, .routing_key = "#"}));
  must(router.bind({.topic = "c", .kind = BindingKind::headers_all, .headers = {{"h", "1"}}}));
  const std::vector<HeaderView> headers{{"h", "1"}};
  const Timestamp time{std::chrono::milliseconds(5)};
  const Routed routed =
      must(router.publish({.routing_key = "order.eu",
                           .record = {.key = "k", .value = "v", .timestamp = time, .headers = headers},
                           .priority = 4}));
  CHECK(topics_of_routed(routed) == "a;b;c;");
  CHECK_FALSE(routed.is_alternate);
  for (const RoutedTo& to : routed.targets) {
    const auto records = read_all(f.engine, to.topic);
    REQUIRE(records.size() == 1);
    CHECK(records[0].offset == to.record.offset);
    CHECK(to.record.partition == 0);
    CHECK(records[0].key == "k");
    CHECK(records[0].value == "v");
    CHECK(records[0].timestamp == time);
    REQUIRE(records[0].headers.size() == 3);
    CHECK(records[0].headers[0].first == "h");
    CHECK(records[0].headers[1] ==
          std::pair<std::string, std::optional<std::string>>(routing_key_header, "order.eu"));
    CHECK(records[0].headers[2] == std::pair<std::string, std::optional<std::string>>(priority_header, "4"));
  }
  CHECK(f.counts() == "a:1 b:1 c:1 other:0");
}

TEST_CASE("a message to one topic takes no transaction") {
  const RouterFixture f;
  Router router = f.router();
  must(router.bind(exactly("k", "a")));
  must(router.publish(message_of_key("k")));
  CHECK(f.counts() == "a:1 b:0 c:0 other:0");
  // One for the bindings, none for the publish.
  CHECK(must(f.engine.admin().list_transactions()).size() == 1);
}

TEST_CASE("a message that no binding matches is an error, or goes to the alternate topic") {
  const RouterFixture f;
  {
    Router router = f.router();
    must(router.bind(exactly("k", "a")));
    const auto refused = router.publish(message_of_key("x"));
    CHECK(code_of(refused) == Errc::not_found);
    CHECK(message_of(refused).find("\"x\"") != std::string::npos);
    Transaction transaction = must(transactional(f.engine).begin());
    CHECK(code_of(router.publish(transaction, message_of_key("x"))) == Errc::not_found);
  }
  Router router = f.router({.alternate_topic = "other"});
  const Routed routed = must(router.publish(message_of_key("x")));
  CHECK(routed.is_alternate);
  CHECK(topics_of_routed(routed) == "other;");
  CHECK_FALSE(must(router.publish(message_of_key("k"))).is_alternate);
  CHECK(f.counts() == "a:1 b:0 c:0 other:1");
}

TEST_CASE("in the application's transaction a message is seen with it, and never if it is aborted") {
  const RouterFixture f;
  Router router = f.router();
  must(router.bind(everything("a")));
  must(router.bind(everything("b")));
  TransactionalProducer producer = transactional(f.engine);
  {
    Transaction transaction = must(producer.begin());
    const Routed routed = must(router.publish(transaction, message_of_key("k")));
    CHECK(topics_of_routed(routed) == "a;b;");
    CHECK(f.counts() == "a:0 b:0 c:0 other:0");
    must(transaction.commit());
    CHECK(f.counts() == "a:1 b:1 c:0 other:0");
  }
  Transaction transaction = must(producer.begin());
  must(router.publish(transaction, message_of_key("k")));
  must(transaction.abort());
  CHECK(f.counts() == "a:1 b:1 c:0 other:0");
}

TEST_CASE("a target that was deleted is an error, and the message comes to none") {
  const RouterFixture f;
  Router router = f.router();
  must(router.bind(everything("a")));
  const BindingId gone = must(router.bind(everything("c")));
  must(router.bind(everything("b")));
  must(f.engine.admin().delete_topic("c"));
  const auto failed = router.publish(message_of_key("k"));
  CHECK(code_of(failed) == Errc::unknown_topic_or_partition);
  CHECK(failed.error().outcome() == Outcome::not_written);
  CHECK(message_of(failed).find("topic c") != std::string::npos);
  create_topic(f.engine, "c");
  CHECK(f.counts() == "a:0 b:0 c:0 other:0");
  must(f.engine.admin().delete_topic("c"));
  must(router.unbind(gone));
  must(router.publish(message_of_key("k")));
  CHECK(committed_values(f.engine, "a").size() == 1);
}

TEST_CASE("a record that one of the topics refuses comes to none") {
  const RouterFixture f;
  create_topic(f.engine, "small", 1, {{"max.message.bytes", "200"}});
  Router router = f.router();
  must(router.bind(everything("a")));
  must(router.bind(everything("small")));
  const std::string large(300, 'x');
  CHECK(code_of(router.publish({.routing_key = "k", .record = {.value = large}})) == Errc::record_too_large);
  must(router.publish(message_of_key("k")));
  CHECK(committed_values(f.engine, "a").size() == 1);
  CHECK(committed_values(f.engine, "small").size() == 1);
}

TEST_CASE("a message out of range is refused") {
  const RouterFixture f;
  Router router = f.router();
  must(router.bind(everything("a")));
  const std::string key(256, 'k');
  CHECK(code_of(router.publish(message_of_key(key))) == Errc::invalid_argument);
  CHECK(code_of(router.publish({.ttl = std::chrono::milliseconds(-1)})) == Errc::invalid_argument);
  CHECK(f.counts() == "a:0 b:0 c:0 other:0");
}

TEST_CASE("options out of range are refused, and so are an unknown alternate topic and a read-only engine") {
  const RouterFixture f;
  CHECK(code_of(Router::open(f.engine, {})) == Errc::invalid_argument);
  CHECK(code_of(Router::open(f.engine, {.name = "r", .acks = Acks::none})) == Errc::invalid_argument);
  CHECK(code_of(Router::open(f.engine, {.name = "r", .acks = static_cast<Acks>(7)})) ==
        Errc::invalid_argument);
  CHECK(code_of(Router::open(f.engine, {.name = "r", .alternate_topic = "no"})) ==
        Errc::unknown_topic_or_partition);
  must(f.engine.close());
  CHECK(code_of(Router::open(f.engine, {.name = "r"})) == Errc::closed);
  const Engine reader = open_engine(f.dir / "data", {.mode = OpenMode::read_only});
  CHECK(code_of(Router::open(reader, {.name = "r"})) == Errc::read_only);
}

TEST_CASE("a router that was moved from answers closed") {
  const RouterFixture f;
  Router router = f.router();
  Router moved = std::move(router);
  // NOLINTBEGIN(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  CHECK(code_of(router.bind(everything("a"))) == Errc::closed);
  CHECK(code_of(router.unbind(1)) == Errc::closed);
  CHECK(code_of(router.change({})) == Errc::closed);
  CHECK(code_of(router.bindings()) == Errc::closed);
  CHECK(code_of(router.publish(message_of_key("k"))) == Errc::closed);
  Transaction transaction = must(transactional(f.engine).begin());
  CHECK(code_of(router.publish(transaction, message_of_key("k"))) == Errc::closed);
  // NOLINTEND(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  must(moved.bind(everything("a")));
}

TEST_CASE("everything answers closed once the engine is closed") {
  const RouterFixture f;
  Router router = f.router();
  must(router.bind(everything("a")));
  must(router.bind(exactly("two", "b")));
  must(f.engine.close());
  CHECK(code_of(router.publish(message_of_key("k"))) == Errc::closed);
  CHECK(code_of(router.publish(message_of_key("two"))) == Errc::closed);
  CHECK(code_of(router.bind(everything("b"))) == Errc::closed);
}

TEST_CASE("bindings are listed and matched without a router, in a read-only engine too") {
  const RouterFixture f;
  {
    Router router = f.router();
    must(router.bind(exactly("k", "a")));
    must(router.bind({.topic = "b", .kind = BindingKind::pattern, .routing_key = "*"}));
  }
  must(f.engine.close());
  const Engine reader = open_engine(f.dir / "data", {.mode = OpenMode::read_only});
  CHECK(must(list_routers(reader)) == std::vector<std::string>{"r"});
  const auto bindings = must(list_bindings(reader, "r"));
  REQUIRE(bindings.size() == 2);
  CHECK(bindings[0].id == 1);
  CHECK(bindings[1].topic == "b");
  CHECK(must(list_bindings(reader, "unknown")).empty());
  CHECK(code_of(list_bindings(reader, "")) == Errc::invalid_argument);
  const auto matching = must(matching_bindings(bindings, message_of_key("x")));
  REQUIRE(matching.size() == 1);
  CHECK(matching[0].id == 2);
  CHECK(code_of(matching_bindings(bindings, message_of_key(std::string(256, 'k')))) ==
        Errc::invalid_argument);
  CHECK(code_of(matching_bindings(std::vector<Binding>(1), message_of_key("x"))) == Errc::invalid_argument);
}

}  // namespace seriatim::test
