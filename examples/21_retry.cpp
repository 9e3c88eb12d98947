// A consumer that meets failures: an answer that does not come, and a record that nobody can handle. The
// first is handled again, the second becomes a dead letter, is looked at and put back.
#include <chrono>
#include <stdexcept>
#include <string>

#include "example.hpp"

namespace {

using namespace std::chrono_literals;
using seriatim::OnRetryFailure;

void retry(const std::filesystem::path& directory) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  engine.admin().create_topic({.name = "orders"}).value();
  engine.admin().create_topic({.name = "invoices"}).value();
  auto producer = engine.producer().value();
  for (const char* order : {"3 apples", "no order", "2 pears"})
    producer.send_sync({.topic = "orders", .value = order}).value();

  seriatim::RetryConsumerOptions options{.group_id = "billing", .topics = {"orders"}};
  options.policy = seriatim::RetryPolicy::fixed(10ms, 5);
  options.classify = [](const seriatim::RetryFailure& failure) -> seriatim::RetryDecision {
    // Another try would not make an order of it.
    if (failure.threw<std::invalid_argument>()) return {.action = OnRetryFailure::dead_letter};
    return {};
  };
  auto consumer = seriatim::RetryConsumer::open(
                      engine, options,
                      [](const seriatim::RecordView& order, const seriatim::RetryAttempt& attempt,
                         seriatim::RetryOutput& output) -> seriatim::Result<> {
                        std::stoi(std::string(order.value().text()));  // Throws std::invalid_argument.
                        if (attempt.number < 3)
                          return seriatim::Error(seriatim::Errc::timed_out, "the till does not answer");
                        return output.send({.topic = "invoices", .value = order.value()});
                      })
                      .value();
  while (consumer.metrics().handled < 2) consumer.run_once(20ms).value();

  check(values_of(engine, "invoices").size() == 2, "two invoices, each once");
  const auto letters = seriatim::list_dead_letters(engine, "orders.DLQ", {}, 10).value().letters;
  check(letters.size() == 1 && letters[0].value == "no order", "one dead letter");
  std::printf("%s offset %lld died: %s\n", letters[0].topic.c_str(),
              static_cast<long long>(letters[0].record_offset.value()), letters[0].error.c_str());

  auto replay = seriatim::DeadLetterReplay::open(engine, {.topic = "orders.DLQ"}).value();
  check(replay.step(10).value().replayed == 1, "it has another chance");
  check(values_of(engine, "orders").size() == 4, "behind the others");
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, retry); }
