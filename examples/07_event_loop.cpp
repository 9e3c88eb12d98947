// Reads from an event loop: a descriptor becomes readable when there are records, next to whatever else the
// loop watches.
#include <sys/epoll.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "example.hpp"

namespace {

constexpr int record_count = 50;

void read_in_an_event_loop(const std::filesystem::path& directory) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  engine.admin().create_topic({.name = "jobs"}).value();
  seriatim::Consumer consumer = engine.consumer().value();
  consumer.assign_topic("jobs").value();

  const int loop = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event watched{.events = EPOLLIN, .data = {.fd = consumer.event_fd()}};
  check(::epoll_ctl(loop, EPOLL_CTL_ADD, watched.data.fd, &watched) == 0, "the descriptor to be watched");

  std::thread other_part([&engine] {
    seriatim::Producer producer = engine.producer({.acks = seriatim::Acks::leader}).value();
    for (int i = 0; i < record_count; ++i) {
      producer.send_sync({.topic = "jobs", .value = std::to_string(i)}).value();
      if (i % 10 == 9) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  });

  int next = 0;
  int wakes = 0;
  bool has_more = true;  // Records may be there from before the descriptor was watched.
  while (next < record_count) {
    epoll_event event{};
    if (!has_more) check(::epoll_wait(loop, &event, 1, 10'000) == 1, "to be woken");
    ++wakes;
    const auto records = consumer.poll(std::chrono::milliseconds(0)).value();
    for (const seriatim::RecordView& record : records) {
      check(record.value().text() == std::to_string(next++), "the records in their order");
    }
    // One poll may leave some: the descriptor says that there is something new, not that there is something
    // left.
    has_more = !records.empty();
  }
  other_part.join();
  ::close(loop);
  std::printf("%d records in %d turns of the loop\n", next, wakes);
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, read_in_an_event_loop); }
