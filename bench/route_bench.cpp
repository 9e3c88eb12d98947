// Routers by turns with a producer, in one run: the price of a publish to one topic beside that of a send of
// the same record, and of one to three topics beside that of a transaction of three records. The median turn
// counts.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/flow/router.hpp>

#include "bench_support.hpp"

namespace seriatim::bench {
namespace {

constexpr int rounds = 200;
constexpr int messages_of_turn = 1'000;
constexpr int bindings_beside = 1'000;

struct RouteTurns {
  const char* name;
  std::function<void()> send;
  std::vector<double> message_ns{};

  void take() {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < messages_of_turn; ++i) send();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    message_ns.push_back(took.count() / messages_of_turn);
  }
  double median_ns() {
    auto middle = message_ns.begin() + static_cast<std::ptrdiff_t>(message_ns.size() / 2);
    std::nth_element(message_ns.begin(), middle, message_ns.end());
    return *middle;
  }
};

// A router that has others to tell apart from those that match.
Router bound_router(const Engine& engine) {
  for (const char* topic : {"two", "three"}) must(engine.admin().create_topic({.name = topic}));
  Router router = must(Router::open(engine, {.name = "bench", .acks = Acks::leader}));
  BindingChange change{.bind = {{.topic = "bench", .routing_key = "order.paid"},
                                {.topic = "bench", .kind = BindingKind::pattern, .routing_key = "*.sent.#"}}};
  for (const char* topic : {"bench", "two", "three"})
    change.bind.push_back({.topic = topic, .routing_key = "all"});
  for (int i = 0; i < bindings_beside; ++i) {
    const std::string number = std::to_string(i);
    change.bind.push_back({.topic = "two", .routing_key = "order." + number});
    change.bind.push_back(
        {.topic = "two", .kind = BindingKind::pattern, .routing_key = "*." + number + ".#"});
  }
  must(router.change(change));
  return router;
}

void route_in_turn(benchmark::State& state) {
  const ScratchDirectory scratch;
  prewarm_page_cache(scratch.path(), std::size_t{768} << 20);
  const Engine engine = open_engine(scratch.path() / "data");
  Router router = bound_router(engine);
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  TransactionalProducer transactions =
      must(engine.transactional_producer({.transactional_id = "plain", .acks = Acks::leader}));
  const std::string value = payload(100);
  const Record record{.key = "user-42", .value = value};
  const HeaderView header{routing_key_header, "order.paid"};
  const auto publish = [&](std::string_view key) {
    must(router.publish({.routing_key = key, .record = record}));
  };
  std::array contestants{
      RouteTurns{"send",
                 [&] { must(producer.send_sync({.topic = "bench", .key = "user-42", .value = value})); }},
      RouteTurns{"send_with_header",
                 [&] {
                   must(producer.send_sync({.topic = "bench",
                                            .key = "user-42",
                                            .value = value,
                                            .headers = std::span<const HeaderView>(&header, 1)}));
                 }},
      RouteTurns{"route_exact", [&] { publish("order.paid"); }},
      RouteTurns{"route_pattern", [&] { publish("order.sent.eu"); }},
      RouteTurns{"transaction_of_three",
                 [&] {
                   Transaction transaction = must(transactions.begin());
                   for (const char* topic : {"bench", "two", "three"})
                     must(transaction.send({.topic = topic, .key = "user-42", .value = value}));
                   must(transaction.commit());
                 }},
      RouteTurns{"route_to_three", [&] { publish("all"); }},
  };
  for (auto _ : state) {
    for (int round = 0; round < rounds; ++round) {
      for (RouteTurns& contestant : contestants) contestant.take();
    }
  }
  for (RouteTurns& contestant : contestants)
    state.counters[std::string(contestant.name) + "_ns"] = contestant.median_ns();
  state.counters["route_of_send"] = contestants[2].median_ns() / contestants[0].median_ns();
  state.counters["pattern_of_send"] = contestants[3].median_ns() / contestants[0].median_ns();
  state.counters["route_of_send_with_header"] = contestants[2].median_ns() / contestants[1].median_ns();
  state.counters["three_of_transaction"] = contestants[5].median_ns() / contestants[4].median_ns();
}
BENCHMARK(route_in_turn)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace seriatim::bench
