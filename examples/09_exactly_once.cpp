// Consume, transform, produce: output, position and totals of a batch become true together. However a fault
// stops the program, the next run goes on where the last committed transaction ended.
#include <chrono>
#include <map>
#include <stdexcept>
#include <string>

#include "example.hpp"

namespace {

constexpr const char* customers[] = {"ann", "bob"};

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

int total_of(const seriatim::State& totals, const std::string& customer) {
  const auto total = totals.get(customer).value();
  return total ? std::stoi(text_of(*total)) : 0;
}

// One batch: an invoice for every order, and the customer's total.
void bill(const seriatim::ConsumerRecords& orders, seriatim::Transaction& transaction) {
  auto totals = transaction.state("totals");
  for (const seriatim::RecordView& order : orders) {
    const auto before = totals.get(order.key().text()).value();
    const int sum = std::stoi(std::string(order.value().text()));
    transaction.send({.topic = "invoices", .key = order.key(), .value = order.value()}).value();
    totals.put(order.key().text(), std::to_string(sum + (before ? std::stoi(text_of(*before)) : 0))).value();
  }
}

/// Bills what was ordered since the last run.
/// @param fails_at  the batch in which this run dies; -1: in none.
void run(const std::filesystem::path& directory, int fails_at) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  seriatim::TransactionalProducer producer =
      engine.transactional_producer({.transactional_id = "billing"}).value();
  seriatim::Consumer consumer = engine.consumer({.group_id = "billing", .max_poll_records = 7}).value();
  consumer.assign_topic("orders").value();
  for (int batch = 0;; ++batch) {
    const auto orders = consumer.poll(std::chrono::milliseconds(0)).value();
    if (orders.empty()) return;
    seriatim::Transaction transaction = producer.begin().value();
    bill(orders, transaction);
    if (batch == fails_at) throw std::runtime_error("power cut");
    transaction.send_offsets(orders.next_offsets(), consumer.group_metadata()).value();
    transaction.commit().value();
  }
}

void bill_exactly_once(const std::filesystem::path& directory) {
  {
    const seriatim::Engine engine = seriatim::Engine::open(directory).value();
    for (const char* topic : {"orders", "invoices"}) engine.admin().create_topic({.name = topic}).value();
    seriatim::Producer producer = engine.producer().value();
    for (int i = 0; i < 100; ++i)
      producer.send_sync({.topic = "orders", .key = customers[i % 2], .value = std::to_string(i)}).value();
  }
  for (const int fails_at : {0, 3, 1}) {
    try {
      run(directory, fails_at);
      check(false, "this run to fail");
    } catch (const std::runtime_error& failure) {
      std::printf("stopped in batch %d: %s\n", fails_at, failure.what());
    }
  }
  run(directory, -1);

  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  const seriatim::State totals = engine.state("totals").value();
  check(total_of(totals, "ann") == 2450 && total_of(totals, "bob") == 2500, "every order in a total once");
  const auto invoices = values_of(engine, "invoices");
  check(invoices.size() == 100, "one invoice for each order");
  for (std::size_t i = 0; i < invoices.size(); ++i)
    check(invoices[i] == std::to_string(i), "the invoices in the order of the orders");
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, bill_exactly_once); }
