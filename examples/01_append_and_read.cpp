// Opens a directory, makes a topic, appends records durably and reads them back.
#include <chrono>

#include "example.hpp"

namespace {

void append_and_read(const std::filesystem::path& directory) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  engine.admin().create_topic({.name = "orders", .partition_count = 4}).value();

  // acks = all is the default: when send_sync returns, the record survives a power cut.
  seriatim::Producer producer = engine.producer().value();
  const seriatim::HeaderView headers[] = {{"content-type", "text/plain"}};
  const auto stored =
      producer.send_sync({.topic = "orders", .key = "user-42", .value = "two apples", .headers = headers})
          .value();
  std::printf("stored in partition %d at offset %lld\n", stored.partition,
              static_cast<long long>(stored.offset));

  // Many records in one batch: all of them become visible together, and one sync covers them.
  const seriatim::Record batch[] = {{.value = "a pear"}, {.value = "a plum"}};
  const auto appended = producer.append({"orders", stored.partition}, batch).value();
  check(appended.base_offset == 1 && appended.last_offset == 2, "the batch to follow the first record");

  seriatim::Consumer consumer = engine.consumer().value();
  consumer.assign_topic("orders").value();
  const auto records = consumer.poll(std::chrono::seconds(5)).value();
  for (const seriatim::RecordView& record : records) {
    std::printf("%d@%lld: %.*s\n", record.partition(), static_cast<long long>(record.offset()),
                static_cast<int>(record.value().size()), record.value().text().data());
  }
  check(records.count() == 3, "three records");
  check(records[0].key().text() == "user-42", "the key of the first");
  check(records[0].header("content-type")->text() == "text/plain", "the header of the first");
  check(records[1].key().is_null(), "no key on the second");
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, append_and_read); }
