// A reader with a name commits how far it came and goes on from there in the next run of the program.
#include <chrono>
#include <string>
#include <vector>

#include "example.hpp"

namespace {

using std::chrono::seconds;

std::vector<std::string> read_some(const std::filesystem::path& directory, std::size_t count) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  seriatim::Consumer consumer = engine.consumer({.group_id = "billing", .max_poll_records = count}).value();
  consumer.assign_topic("orders").value();
  const auto records = consumer.poll(seconds(5)).value();
  std::vector<std::string> values;
  for (const seriatim::RecordView& record : records) values.emplace_back(record.value().text());
  // After the work is done: what was not committed is read again by the next run.
  consumer.commit_sync(records).value();
  std::printf("read %zu records, the last is %s\n", values.size(), values.back().c_str());
  return values;
}

void read_in_two_runs(const std::filesystem::path& directory) {
  {
    const seriatim::Engine engine = seriatim::Engine::open(directory).value();
    engine.admin().create_topic({.name = "orders"}).value();
    seriatim::Producer producer = engine.producer().value();
    for (int i = 0; i < 5; ++i)
      producer.send_sync({.topic = "orders", .value = "order " + std::to_string(i)}).value();
  }
  check(read_some(directory, 2) == std::vector<std::string>{"order 0", "order 1"},
        "the first run to read two orders");
  check(read_some(directory, 10) == std::vector<std::string>{"order 2", "order 3", "order 4"},
        "the second run to go on behind them");

  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  const auto offsets = engine.admin().group_offsets("billing").value();
  check(offsets.size() == 1 && offsets[0].committed.offset == 5 && offsets[0].log_end_offset == 5,
        "nothing left to read");
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, read_in_two_runs); }
