// A topic as a table: the newest record of each key is kept, a record without a value deletes its key.
#include <chrono>
#include <map>
#include <string>

#include "example.hpp"

namespace {

using Table = std::map<std::string, std::string>;

/// The first step of an application: read the topic from its beginning and keep the last value of each
/// key.
Table load(const seriatim::Engine& engine) {
  Table table;
  seriatim::Consumer consumer = engine.consumer().value();
  consumer.assign_topic("prices").value();
  while (consumer.lag({"prices", 0}).value() > 0) {
    const auto records = consumer.poll(std::chrono::seconds(5)).value();
    for (const seriatim::RecordView& record : records) {
      const std::string key(record.key().text());
      if (record.value().is_null()) {
        table.erase(key);
      } else {
        table[key] = record.value().text();
      }
    }
  }
  return table;
}

void keep_a_table(const std::filesystem::path& directory) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  engine.admin().create_topic({.name = "prices", .config = {{"cleanup.policy", "compact"}}}).value();
  seriatim::Producer producer = engine.producer({.acks = seriatim::Acks::leader}).value();
  for (int day = 0; day < 100; ++day) {
    const std::string price = std::to_string(100 + day);
    producer.send_sync({.topic = "prices", .key = "apple", .value = price}).value();
    producer.send_sync({.topic = "prices", .key = "pear", .value = price}).value();
  }
  producer.send_sync({.topic = "prices", .key = "pear", .value = nullptr}).value();

  const Table expected{{"apple", "199"}};
  check(load(engine) == expected, "the newest price of what is still sold");

  // The engine compacts by itself in the background; this asks for it.
  const auto result = engine.admin().compact("prices", true).value();
  std::printf("compaction removed %llu of 201 records\n",
              static_cast<unsigned long long>(result.removed_records));
  check(result.removed_records == 199, "one record per key to stay");
  check(load(engine) == expected, "the same table from fewer records");
  check(!producer.send_sync({.topic = "prices", .value = "1"}).ok(), "a record without a key to be refused");
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, keep_a_table); }
