// Delivery by name: a processor bills orders exactly once, whatever its handler does and however often it is
// stopped.
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include "example.hpp"

namespace {

using seriatim::OnFailure;
using seriatim::ProcessorFailure;
using seriatim::ProcessorOutput;
using seriatim::RecordView;

constexpr int orders = 200;

/// An invoice for an order, and one more in the number of those of its partition, which one worker at a time
/// changes.
seriatim::Result<> bill(const RecordView& order, ProcessorOutput& output) {
  const int number = std::stoi(std::string(order.value().text()));
  if (number % 50 == 0) throw std::runtime_error("no such customer");
  auto table = output.state("billing");
  if (!table) return table.error();
  const std::string partition = std::to_string(order.partition());
  const auto before = table->get(partition).value();
  table->put(partition, std::string(before ? before->size() + 1 : 1, 'x')).value();
  return output.send({.topic = "invoices", .value = order.value()});
}

/// Retries once, then goes on without the order.
OnFailure decide(const ProcessorFailure& failure) {
  if (failure.record == nullptr) return failure.error.retriable() ? OnFailure::retry : OnFailure::stop;
  return failure.attempts < 2 ? OnFailure::retry : OnFailure::skip;
}

/// Bills with two workers, until so many invoices are there.
void run(const std::filesystem::path& directory, std::size_t until) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  auto processor = seriatim::Processor::open(engine,
                                             {.group_id = "billing",
                                              .topics = {"orders"},
                                              .delivery = seriatim::Delivery::exactly_once,
                                              .workers = 2,
                                              .on_failure = decide,
                                              .retry_backoff = std::chrono::milliseconds(1),
                                              .consumer = {.max_poll_records = 10}},
                                             bill)
                       .value();
  processor.start().value();
  while (values_of(engine, "invoices").size() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  // Each worker finishes its batch.
  processor.stop();
  processor.wait().value();
}

void bill_with_a_processor(const std::filesystem::path& directory) {
  {
    const seriatim::Engine engine = seriatim::Engine::open(directory).value();
    engine.admin().create_topic({.name = "orders", .partition_count = 4}).value();
    engine.admin().create_topic({.name = "invoices"}).value();
    seriatim::Producer producer = engine.producer({.acks = seriatim::Acks::leader}).value();
    for (int i = 0; i < orders; ++i)
      producer.send_sync({.topic = "orders", .key = std::to_string(i), .value = std::to_string(i)}).value();
  }
  constexpr std::size_t billed = orders - orders / 50;
  for (const std::size_t until : {std::size_t{1}, billed / 2, billed}) run(directory, until);

  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  const auto invoices = values_of(engine, "invoices");
  check(invoices.size() == billed, "one invoice for each order that has a customer");
  check(std::set<std::string>(invoices.begin(), invoices.end()).size() == billed, "none of them twice");
  std::size_t counted = 0;
  for (const auto& partition : engine.state("billing").value().scan({}, 10).value())
    counted += partition.value.size();
  check(counted == billed, "each of them counted once");
  for (const auto& partition : engine.admin().group_lag("billing").value())
    check(partition.lag == 0, "nothing left to do");
  std::printf("%zu invoices\n", invoices.size());
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, bill_with_a_processor); }
