#include "flow/route/router_impl.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <seriatim/flow/expiry.hpp>

#include "support/random.hpp"
#include "unit/flow/route/router_fixture.hpp"

namespace seriatim::test {

using std::chrono::milliseconds;

TEST_CASE("a time to live counts from the publish") {
  const RouterFixture f;
  std::int64_t now_ms = 1'000;
  Router router = must(
      detail::RouterImpl::open(f.engine, {.name = "r"}, [&] { return Timestamp(milliseconds(now_ms)); }));
  must(router.bind(everything("a")));
  must(router.publish({.routing_key = "k", .ttl = milliseconds(50)}));
  now_ms = 2'000;
  must(router.publish({.routing_key = "k", .ttl = milliseconds(50)}));
  must(router.publish({.routing_key = "k"}));
  const auto records = must(must(f.engine.reader({"a", 0})).read(0, 10));
  REQUIRE(records.count() == 3);
  CHECK(expiry_of(records[0]) == Timestamp(milliseconds(1'050)));
  CHECK(expiry_of(records[1]) == Timestamp(milliseconds(2'050)));
  CHECK_FALSE(expiry_of(records[2]));
}

TEST_CASE("priorities have topics of their own, which a share consumer takes from in their order") {
  const RouterFixture f;
  Router router = f.router();
  must(router.bind({.topic = "a", .routing_key = "k", .priority_topics = {{5, "b"}, {9, "c"}}}));
  for (const int priority : {0, 9, 5, 4, 9, 5}) {
    const std::string value = std::to_string(priority);
    must(router.publish(
        {.routing_key = "k", .record = {.value = value}, .priority = static_cast<std::uint8_t>(priority)}));
  }
  ShareConsumer consumer = must(f.engine.share_consumer({.group_id = "g",
                                                         .acquire_mode = ShareAcquireMode::record_limit,
                                                         .max_poll_records = 1,
                                                         .topic_priority = {{"c", 2}, {"b", 1}}}));
  must(consumer.subscribe({"a", "b", "c"}));
  std::string order;
  for (int i = 0; i < 6; ++i) {
    const ShareRecords records = must(consumer.poll(milliseconds(0)));
    REQUIRE(records.count() == 1);
    order += records[0].value().text();
  }
  CHECK(order == "995504");
}

namespace {

// By turns to two topics and to one.
void publish_numbered(Router& router, int thread, int messages, std::atomic<int>& failed) {
  for (int i = 0; i < messages; ++i) {
    const std::string value = std::to_string(thread) + ":" + std::to_string(i);
    const bool is_to_two = i % 2 == 0;
    const auto routed =
        router.publish({.routing_key = is_to_two ? "two.x" : "one", .record = {.value = value}});
    if (!routed || routed->targets.size() != (is_to_two ? 2U : 1U)) ++failed;
  }
}

// Each thread's numbers are there, `step` apart, in their order.
void check_numbered(const std::vector<std::string>& values, int step) {
  std::map<std::string, int> next;
  for (const std::string& value : values) {
    const std::size_t colon = value.find(':');
    int& expected = next[value.substr(0, colon)];
    CHECK(value.substr(colon + 1) == std::to_string(expected));
    expected += step;
  }
}

}  // namespace

TEST_CASE("publishes of many threads come to all their topics, in the order of each thread") {
  const RouterFixture f;
  Router router = f.router({.acks = Acks::leader});
  must(router.bind(everything("a")));
  must(router.bind({.topic = "b", .kind = BindingKind::pattern, .routing_key = "two.#"}));
  constexpr int threads_at_once = 6;
  constexpr int messages = 40;
  std::atomic<int> failed{0};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < threads_at_once; ++thread)
      threads.emplace_back([&, thread] { publish_numbered(router, thread, messages, failed); });
  }
  CHECK(failed == 0);
  const auto in_a = committed_values(f.engine, "a");
  const auto in_b = committed_values(f.engine, "b");
  CHECK(in_a.size() == std::size_t{threads_at_once} * messages);
  CHECK(in_b.size() == std::size_t{threads_at_once} * messages / 2);
  check_numbered(in_a, 1);
  check_numbered(in_b, 2);
}

TEST_CASE("the key of a record chooses its partition in each topic") {
  const RouterFixture f;
  create_topic(f.engine, "wide", 7);
  Router router = f.router();
  must(router.bind(everything("wide")));
  must(router.bind({.topic = "a", .kind = BindingKind::pattern, .routing_key = "two"}));
  const Producer plain = must(f.engine.producer());
  for (const std::string_view key : {"k1", "k2", "k3"}) {
    std::vector<PartitionId> partitions;
    for (const std::string_view routing_key : {"one", "two"}) {
      const Routed routed =
          must(router.publish({.routing_key = routing_key, .record = {.key = key, .value = "v"}}));
      partitions.push_back(routed.targets[routed.targets.size() - 1].record.partition);
    }
    CHECK(partitions[0] == partitions[1]);
  }
}

}  // namespace seriatim::test
