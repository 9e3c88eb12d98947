// Routers with an allocation that fails, each in turn: nothing is thrown, the error is out_of_memory, and a
// message is in all of its topics or in none, once.
#include <doctest/doctest.h>

#include <string_view>

#include <seriatim/flow/router.hpp>

#include "faults/failing_new.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

// Makes the call with the next allocation failing, until it needs none that fails.
template <class Call>
void sweep_routing(const char* what, const Call& call) {
  CAPTURE(what);
  bool is_met = true;
  for (std::int64_t n = 0; is_met; ++n) {
    CAPTURE(n);
    const auto answered = [&]() noexcept {
      const NewFails fails(n);
      return call();
    }();
    is_met = NewFails::is_met();
    if (!answered) CHECK(answered.error().code() == Errc::out_of_memory);
    if (!is_met) CHECK(answered);
    REQUIRE(n < 100'000);
  }
}

std::size_t count_routed(const Engine& engine, const char* topic, std::string_view key) {
  Consumer consumer = must(engine.consumer({.max_poll_records = 100'000}));
  must(consumer.assign_topic(topic));
  std::size_t found = 0;
  const auto records = must(consumer.poll(std::chrono::milliseconds(0)));
  for (const RecordView& record : records) {
    const auto header = record.header(routing_key_header);
    if (header && header->text() == key) ++found;
  }
  return found;
}

}  // namespace

TEST_CASE("memory runs out while a router binds and publishes: in all topics or in none, and once") {
  const OpenedEngine opened;
  const Engine& engine = opened.engine;
  create_topic(engine, "u");
  sweep_routing("open", [&] { return Router::open(engine, {.name = "r"}); });
  Router router = must(Router::open(engine, {.name = "r"}));
  const BindingChange change{.bind = {{.topic = "t", .kind = BindingKind::pattern, .routing_key = "two.#"},
                                      {.topic = "u", .kind = BindingKind::fan_out}}};
  sweep_routing("change", [&] { return router.change(change); });
  sweep_routing("bindings", [&] { return router.bindings(); });
  CHECK(must(router.bindings()).size() == 2);
  std::size_t published = 0;
  const auto publish = [&](std::string_view key) {
    auto routed = router.publish({.routing_key = key, .record = {.value = "v"}});
    if (routed) ++published;
    return routed;
  };
  sweep_routing("publish to two", [&] { return publish("two.x"); });
  sweep_routing("publish to one", [&] { return publish("one"); });
  CHECK(count_routed(engine, "t", "two.x") == count_routed(engine, "u", "two.x"));
  CHECK(count_routed(engine, "t", "one") == 0);
  CHECK(count_routed(engine, "u", "two.x") + count_routed(engine, "u", "one") == published);
}

}  // namespace seriatim::test
