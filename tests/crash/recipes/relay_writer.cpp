// The process that relay_kill_test.py kills: a producer, and a relay of what it produces into a topic of
// other partitions.
//
//   relay_writer DIR FIRST_NUMBER LEVEL   looks at what the one before has left, then produces and relays
//                                         until it is killed; LEVEL: all, leader
//   relay_writer DIR                      relays the rest, compares, prints how many records there are
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <seriatim/seriatim.hpp>

namespace {

using namespace seriatim;

constexpr PartitionId partitions_from = 3;
constexpr PartitionId partitions_to = 7;
constexpr std::int64_t keys = 50;

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "relay_writer: %s\n", what.c_str());
  std::_Exit(1);
}

template <class T>
T needed(Result<T> result) {
  if (!result) die(result.error().message());
  return *std::move(result);
}
void needed(const Result<>& result) {
  if (!result) die(result.error().message());
}

using ValuesByKey = std::map<std::string, std::vector<std::string>>;

/// The committed records of a topic, of which no key is in two partitions.
ValuesByKey values_of(const Engine& engine, const std::string& topic, PartitionId partitions) {
  ValuesByKey values;
  for (PartitionId i = 0; i < partitions; ++i) {
    Consumer consumer = needed(engine.consumer());
    needed(consumer.assign({{topic, i}}));
    for (;;) {
      const ConsumerRecords records = needed(consumer.poll(std::chrono::milliseconds(0)));
      if (records.empty()) break;
      for (const RecordView& record : records) {
        if (partition_for_key(record.key(), partitions) != i)
          die("a key is in a partition that is not its own");
        values[std::string(record.key().text())].emplace_back(record.value().text());
      }
    }
  }
  return values;
}

std::size_t check_relayed(const Engine& engine, bool is_all) {
  const ValuesByKey from = values_of(engine, "in", partitions_from);
  const ValuesByKey to = values_of(engine, "out", partitions_to);
  std::size_t count = 0;
  for (const auto& [key, values] : to) {
    const auto source = from.find(key);
    if (source == from.end()) die(key + " was relayed and never produced");
    if (values.size() > source->second.size()) die(key + " has more records than were produced");
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] != source->second[i])
        die(key + ": record " + std::to_string(i) + " is " + values[i] + ", not " + source->second[i]);
    }
    count += values.size();
  }
  if (is_all && to != from) die("records are missing");
  return count;
}

Engine open_relay_engine(const std::string& directory) {
  // Small files, so that kills meet their change; checkpoints beside commits.
  const Engine engine = needed(Engine::open(directory, {.checkpoint_interval = std::chrono::milliseconds(30),
                                                        .journal_max_bytes = 1 << 20,
                                                        .journal_file_bytes = 64 << 10}));
  for (const auto& [name, count] : {std::pair("in", partitions_from), std::pair("out", partitions_to)}) {
    needed(engine.admin().create_topic({.name = name,
                                        .partition_count = count,
                                        .config = {{"segment.bytes", "65536"}},
                                        .if_not_exists = true}));
  }
  return engine;
}

void produce_for_ever(const Engine& engine, std::int64_t number) {
  Producer producer = needed(engine.producer({.acks = Acks::leader}));
  for (;; ++number) {
    const std::string key = "key-" + std::to_string(number % keys);
    needed(producer.send_sync({.topic = "in", .key = key, .value = std::to_string(number)}));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) die("usage: relay_writer DIR [FIRST_NUMBER LEVEL]");
  const Engine engine = open_relay_engine(argv[1]);
  const std::size_t relayed = check_relayed(engine, false);
  RelayOptions options{.from = "in", .to = "out", .until_caught_up = argc == 2, .batch_records = 200};
  if (argc == 4 && std::string_view(argv[3]) == "leader") options.acks = Acks::leader;
  Relay relay = needed(Relay::open(engine, options));
  if (argc == 2) {
    needed(relay.run());
    const std::size_t all = check_relayed(engine, true);
    if (all != relayed + relay.progress().records) die("the relay counts other records than there are");
    needed(engine.close());
    std::printf("%zu\n", all);
    return 0;
  }
  std::puts("ready");
  std::fflush(stdout);
  const std::jthread producing([&] { produce_for_ever(engine, std::atoll(argv[2])); });
  needed(relay.run());
  die("the relay has ended by itself");
}
