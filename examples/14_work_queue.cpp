// A durable work queue in five lines: workers share the records of a topic, a record that fails comes again,
// and one that always fails becomes a dead letter.
#include <string>
#include <thread>
#include <vector>

#include "example.hpp"

namespace {

using seriatim::AcknowledgeType;
using std::chrono::seconds;
constexpr auto explicitly = seriatim::ShareAcknowledgementMode::explicit_;

constexpr int orders = 20;

/// Fails for one order, however often it is tried.
bool bill(const seriatim::RecordView& order) { return order.value().text() != "order 7"; }

/// Any number of these at the same time; each order is with one of them.
void work(const seriatim::Engine& engine) {
  auto queue = engine.share_consumer({.group_id = "billing", .acknowledgement_mode = explicitly}).value();
  queue.subscribe({"orders"}).value();
  for (auto some = queue.poll(seconds(1)).value(); !some.empty(); some = queue.poll(seconds(1)).value())
    for (const seriatim::ShareRecord order : some)
      queue.acknowledge(order, bill(order) ? AcknowledgeType::accept : AcknowledgeType::release).value();
}

void work_off(const std::filesystem::path& directory) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  engine.admin().create_topic({.name = "orders", .partition_count = 2}).value();
  seriatim::Producer producer = engine.producer().value();
  for (int i = 0; i < orders; ++i)
    producer.send_sync({.topic = "orders", .value = "order " + std::to_string(i)}).value();

  const seriatim::ShareGroups groups = engine.share_groups().value();
  groups
      .alter_config("billing", {{"share.delivery.count.limit", "3"},
                                {"errors.deadletterqueue.topic.name", "orders-dead"}})
      .value();
  std::thread first([&] { work(engine); });
  std::thread second([&] { work(engine); });
  first.join();
  second.join();

  for (const auto& partition : groups.describe("billing").value().offsets)
    check(partition.lag == 0, "nothing left to do");
  check(values_of(engine, "orders-dead") == std::vector<std::string>{"order 7"},
        "the order that always fails");
  std::printf("%d orders worked off, one of them dead\n", orders);
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, work_off); }
