// Writes records where they will lie in the log: no buffer of one's own, no copy.
#include <chrono>
#include <cstdint>
#include <cstring>

#include "example.hpp"

namespace {

struct Sample {
  std::int64_t taken_ns;
  double value;
};

void write_in_place(const std::filesystem::path& directory) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  engine.admin().create_topic({.name = "samples"}).value();
  seriatim::Producer producer = engine.producer({.acks = seriatim::Acks::leader}).value();

  for (int i = 0; i < 3; ++i) {
    seriatim::Claim claim = producer.try_claim({"samples", 0}, sizeof(Sample)).value();
    const Sample sample{.taken_ns = i, .value = i * 0.5};
    std::memcpy(claim.value().data(), &sample, sizeof(sample));  // A sensor's driver would store right here.
    const auto stored = claim.commit().value();
    std::printf("sample %d has offset %lld\n", i, static_cast<long long>(stored.offset));
  }
  {
    // Not committed: nothing of it is ever seen, and its offset goes to the next record.
    const seriatim::Claim dropped = producer.try_claim({"samples", 0}, sizeof(Sample)).value();
  }
  check(producer.send_sync({.topic = "samples", .value = "end"}).value().offset == 3,
        "the dropped claim to leave no gap");

  seriatim::Consumer consumer = engine.consumer().value();
  consumer.assign({{"samples", 0}}).value();
  const auto records = consumer.poll(std::chrono::seconds(5)).value();
  check(records.count() == 4, "four records");
  Sample second{};
  check(records[1].value().size() == sizeof(second), "a whole sample");
  std::memcpy(&second, records[1].value().data(), sizeof(second));
  check(second.taken_ns == 1 && second.value == 0.5, "the second sample");
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, write_in_place); }
