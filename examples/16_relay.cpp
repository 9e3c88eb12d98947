// A topic got too few partitions: a relay copies it into a wider one, each record once and in order per key,
// however often it is stopped. And a reader that is too far behind says so, and skips to the end.
#include <map>
#include <string>

#include "example.hpp"

namespace {

constexpr int orders = 5'000;
const seriatim::RelayOptions widening{
    .from = "orders", .to = "orders-wide", .until_caught_up = true, .batch_records = 500};

void relay_and_skip(const std::filesystem::path& directory) {
  {
    const seriatim::Engine engine = seriatim::Engine::open(directory).value();
    engine.admin().create_topic({.name = "orders", .partition_count = 2}).value();
    engine.admin().create_topic({.name = "orders-wide", .partition_count = 16}).value();
    seriatim::Producer producer = engine.producer({.acks = seriatim::Acks::leader}).value();
    for (int i = 0; i < orders; ++i) {
      const std::string user = "user-" + std::to_string(i % 40);
      producer.send_sync({.topic = "orders", .key = user, .value = std::to_string(i)}).value();
    }
    // Three batches, and the program ends.
    auto relay = seriatim::Relay::open(engine, widening).value();
    for (int i = 0; i < 3; ++i) relay.run_once(std::chrono::seconds(1)).value();
  }
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  auto relay = seriatim::Relay::open(engine, widening).value();
  relay.run().value();
  check(relay.progress().records == orders - 1'500 && relay.progress().lag == 0, "the rest to be relayed");
  std::map<int, int> last_of_user;
  const auto values = values_of(engine, "orders-wide");
  check(values.size() == orders, "each order once");
  for (const std::string& value : values) {
    int& last = last_of_user.emplace(std::stoi(value) % 40, -1).first->second;
    check(last < std::stoi(value), "the orders of a user in their order");
    last = std::stoi(value);
  }

  // How long does a group need that has read 1'000 of them in a second? This one goes to the end instead.
  const seriatim::LagSample looks[] = {
      {.time = std::chrono::seconds(0), .lag = orders, .end = orders},
      {.time = std::chrono::seconds(1), .lag = orders - 1'000, .end = orders}};
  check(catch_up_estimate(looks)->time_left == std::chrono::seconds(4), "four seconds for the rest");
  seriatim::Consumer late = engine.consumer({.group_id = "dashboard"}).value();
  late.assign_topic("orders-wide").value();
  late.seek_to_end().value();
  late.commit_sync().value();
  for (const auto& partition : engine.admin().group_lag("dashboard").value())
    check(partition.lag == 0, "nothing left to read");
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, relay_and_skip); }
