// Messages that are delivered later: a reminder of each order, scheduled in the order's own transaction, and
// cancelled when the order is paid.
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "example.hpp"

namespace {

using namespace std::chrono_literals;

void remind(const std::filesystem::path& directory) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  engine.admin().create_topic({.name = "orders"}).value();
  engine.admin().create_topic({.name = "reminders"}).value();
  auto delayed = seriatim::DelayedMessages::open(engine, {.name = "reminders"}).value();

  // Any delay, by the millisecond; or a time of day, as `schedule(record, new_years_eve)`.
  delayed.schedule({.topic = "reminders", .value = "stocktaking"}, 24h * 365).value();

  // The order and its reminder are one transaction: both are there, or none.
  auto producer = engine.transactional_producer({.transactional_id = "shop"}).value();
  for (const std::string order : {"order 1", "order 2", "order 3"}) {
    seriatim::Transaction transaction = producer.begin().value();
    transaction.send({.topic = "orders", .value = order}).value();
    delayed.schedule(transaction, {.topic = "reminders", .value = order}, 72h, order).value();
    transaction.commit().value();
  }

  // `cancel` and `reschedule` say what happens: never both a cancellation and a delivery.
  check(delayed.cancel("order 1").value(), "order 1 is paid before its reminder");
  check(delayed.reschedule("order 2", 20ms).value(), "order 2 is reminded of earlier");
  check(delayed.reschedule("order 3", 10ms).value(), "order 3 is the first");
  while (delayed.count().value() > 1) std::this_thread::sleep_for(5ms);
  check(!delayed.cancel("order 3").value(), "too late: order 3 was reminded of");
  check(values_of(engine, "reminders").size() == 2, "two reminders");
  std::printf("%llu reminders, at most %lld ms late\n",
              static_cast<unsigned long long>(delayed.metrics().delivered),
              static_cast<long long>(delayed.metrics().lateness_max.count()));
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, remind); }
