// Parallel by key: eight threads handle the payments of one partition, each account's in their order; one
// that fails holds up its own account only.
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "example.hpp"

namespace {

constexpr int payments = 1'000, accounts = 40;

void book_in_parallel(const std::filesystem::path& directory) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  engine.admin().create_topic({.name = "payments"}).value();
  seriatim::Producer producer = engine.producer({.acks = seriatim::Acks::leader}).value();
  for (int i = 0; i < payments; ++i) {
    const std::string account = std::to_string(i % accounts);
    producer.send_sync({.topic = "payments", .key = account, .value = std::to_string(i)}).value();
  }

  std::mutex mutex;
  std::map<std::string, std::vector<int>> booked;
  int refused = 0;
  const auto book = [&](const seriatim::RecordView& payment) {
    const std::lock_guard lock(mutex);
    const int number = std::stoi(std::string(payment.value().text()));
    if (number == 7 && ++refused <= 2) throw std::runtime_error("the bank does not answer");
    booked[std::string(payment.key().text())].push_back(number);
    return seriatim::Result<>();
  };
  auto consumer =
      seriatim::ParallelConsumer::open(engine,
                                       {.group_id = "booking",
                                        .topics = {"payments"},
                                        .workers = 8,
                                        .on_failure = [](const auto&) { return seriatim::OnFailure::retry; },
                                        .backoff = {.initial = std::chrono::milliseconds(5)}},
                                       book)
          .value();
  consumer.start().value();
  while (consumer.status().handled_records < payments) std::this_thread::yield();
  consumer.stop();
  consumer.wait().value();

  check(refused == 3, "two refusals, and a third try");
  for (const auto& [account, numbers] : booked)
    for (std::size_t i = 0; i < numbers.size(); ++i)
      check(numbers[i] == numbers[0] + static_cast<int>(i) * accounts, "the payments of an account in order");
  check(engine.admin().group_lag("booking").value().front().lag == 0, "nothing left to do");
  std::printf("%d payments of %zu accounts\n", payments, booked.size());
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, book_in_parallel); }
