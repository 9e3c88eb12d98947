// Messages that are published under a routing key, to every topic whose binding matches: urgent ones come
// first, and one that is too old becomes a dead letter.
#include <string>
#include <vector>

#include "example.hpp"

namespace {

using seriatim::BindingKind;
using std::chrono::milliseconds;
using Values = std::vector<std::string>;

void take_urgent_first(const seriatim::Engine& engine) {
  auto queue = engine.share_consumer({.group_id = "work", .topic_priority = {{"jobs-urgent", 1}}}).value();
  queue.subscribe({"jobs", "jobs-urgent"}).value();
  const auto first = queue.poll(milliseconds(0)).value();
  check(first.count() == 1 && first[0].value().text() == "smoke", "the urgent job first");
}

void bill(const seriatim::Engine& engine) {
  auto consumer = engine.consumer({.group_id = "billing"}).value();
  consumer.assign_topic("eu").value();
  auto producer = engine.transactional_producer({.transactional_id = "billing"}).value();
  const auto records = consumer.poll(milliseconds(0)).value();
  auto transaction = producer.begin().value();
  const auto now = std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
  const auto split = seriatim::bury_expired(engine, transaction, records, now).value();
  check(split.live.size() == 1 && split.live[0].value().text() == "paid", "the order that is not too old");
  transaction.send_offsets(records.next_offsets(), consumer.group_metadata()).value();
  transaction.commit().value();
  check(values_of(engine, "eu.DLQ") == Values{"quoted"}, "a letter for the one that is");
}

void route(const std::filesystem::path& directory) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  for (const char* topic : {"eu", "audit", "jobs", "jobs-urgent", "lost"})
    engine.admin().create_topic({.name = topic}).value();
  auto router = seriatim::Router::open(engine, {.name = "shop", .alternate_topic = "lost"}).value();
  router.bind({.topic = "eu", .kind = BindingKind::pattern, .routing_key = "order.eu.#"}).value();
  router.bind({.topic = "audit", .kind = BindingKind::headers_any, .headers = {{"audit", {}}}}).value();
  router.bind({.topic = "jobs", .routing_key = "job", .priority_topics = {{5, "jobs-urgent"}}}).value();

  const std::vector<seriatim::HeaderView> audit{{"audit", "yes"}};
  router.publish({.routing_key = "order.eu.paid", .record = {.value = "paid", .headers = audit}}).value();
  router.publish({.routing_key = "order.eu", .record = {.value = "quoted"}, .ttl = milliseconds(0)}).value();
  router.publish({.routing_key = "order.us", .record = {.value = "far"}}).value();
  router.publish({.routing_key = "job", .record = {.value = "sweep"}}).value();
  router.publish({.routing_key = "job", .record = {.value = "smoke"}, .priority = 9}).value();
  check(values_of(engine, "audit") == Values{"paid"} && values_of(engine, "lost") == Values{"far"},
        "all routed");
  take_urgent_first(engine);
  bill(engine);
  std::printf("5 messages routed by %zu bindings\n", router.bindings().value().size());
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, route); }
