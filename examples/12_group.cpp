// Two workers share a topic as members of a group: each partition has one owner, and when one worker leaves,
// the other goes on with its partitions.
#include <atomic>
#include <set>
#include <string>
#include <thread>

#include "example.hpp"

namespace {

using std::chrono::milliseconds;

constexpr int orders = 400;

/// Works until `done` has `until` orders. An order that was processed and not committed comes again: at least
/// once.
void work(const seriatim::Engine& engine, std::atomic<int>& done, int until) {
  seriatim::Consumer consumer = engine.consumer({.group_id = "billing", .max_poll_records = 10}).value();
  consumer.subscribe({"orders"}).value();
  while (done < until) {
    const auto records = consumer.poll(milliseconds(10)).value();
    done += static_cast<int>(records.count());
    consumer.commit_sync(records).value();
  }
}

void share_a_topic(const std::filesystem::path& directory) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  engine.admin().create_topic({.name = "orders", .partition_count = 4}).value();
  seriatim::Producer producer = engine.producer({.acks = seriatim::Acks::leader}).value();
  for (int i = 0; i < orders; ++i) {
    producer.send_sync({.topic = "orders", .key = std::to_string(i), .value = "order"}).value();
  }

  std::atomic<int> done{0};
  // The first worker leaves in the middle; its destructor gives the partitions to the other.
  std::thread first([&] { work(engine, done, orders / 2); });
  std::thread second([&] { work(engine, done, orders); });
  first.join();
  second.join();
  check(done == orders, "each order once, since every worker commits before it leaves");
  for (const auto& partition : engine.admin().group_lag("billing").value())
    check(partition.lag == 0, "nothing left to do");
  std::printf("%d orders by two workers\n", done.load());
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, share_a_topic); }
