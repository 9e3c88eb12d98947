// Three ways not to wait for the disk: a future, a callback, a coroutine. Records that linger share a batch
// and a sync.
#include <atomic>
#include <chrono>
#include <coroutine>
#include <future>
#include <vector>

#include "example.hpp"

namespace {

/// A coroutine that runs on its own; an application would use its framework's task type.
struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

Task send_three(seriatim::Producer& producer, std::promise<int>& done) {
  int stored = 0;
  for (const char* value : {"one", "two", "three"}) {
    const auto outcome = co_await producer.send({.topic = "events", .value = value});
    if (outcome) ++stored;
  }
  done.set_value(stored);
}

void send_without_waiting(const std::filesystem::path& directory) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  engine.admin().create_topic({.name = "events"}).value();
  seriatim::Producer producer = engine.producer({.linger = std::chrono::milliseconds(2)}).value();

  std::vector<seriatim::DeliveryFuture> futures;
  for (int i = 0; i < 100; ++i) futures.push_back(producer.send({.topic = "events", .value = "future"}));
  for (auto& future : futures) future.get().value();

  std::atomic<int> called{0};
  for (int i = 0; i < 100; ++i) {
    producer
        .send({.topic = "events", .value = "callback"},
              [&](const seriatim::Result<seriatim::RecordMetadata>& outcome) {
                if (outcome) ++called;
              })
        .value();
  }
  producer.flush().value();  // Returns when every callback has run.
  check(called == 100, "a hundred callbacks");

  std::promise<int> done;
  send_three(producer, done);
  check(done.get_future().get() == 3, "three records from the coroutine");

  const auto metrics = engine.metrics();
  std::printf("%llu records, all durable, with %llu syncs\n",
              static_cast<unsigned long long>(metrics.appended_records),
              static_cast<unsigned long long>(metrics.syncs));
  check(metrics.appended_records == 203 && metrics.syncs < 203, "fewer syncs than records");
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, send_without_waiting); }
