#include "flow/dead_letters/dead_letter_headers.hpp"

#include <doctest/doctest.h>

#include "unit/flow/dead_letters/letters_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("the headers of a letter are Kafka's first, in Kafka's order") {
  const LettersFixture f;
  f.bury("v", "no answer");
  std::vector<std::string> names;
  const auto letters = read_all(f.engine, "in.DLQ");
  for (const auto& [name, value] : letters[0].headers) names.push_back(name);
  CHECK(names == std::vector<std::string>{"own", "__dlq.errors.topic", "__dlq.errors.partition",
                                          "__dlq.errors.offset", "__dlq.errors.group",
                                          "__dlq.errors.delivery.count", "__dlq.errors.message",
                                          "__dlq.errors.name", "__dlq.errors.time"});
}

TEST_CASE("of headers that appear twice the last one counts, and numbers that are none are not there") {
  const LettersFixture f;
  Producer producer = must(f.engine.producer());
  const std::vector<HeaderView> headers{{"__dlq.errors.topic", "first"},
                                        {"__dlq.errors.topic", "last"},
                                        {"__dlq.errors.partition", "x"},
                                        {"__dlq.errors.delivery.count", "-1"}};
  must(producer.send_sync({.topic = "in.DLQ", .headers = headers}));
  const LogReader reader = must(f.engine.reader({"in.DLQ", 0}));
  const ConsumerRecords records = must(reader.read(0, 1));
  const DeadLetter letter = flow::dead_letter_of(records[0]);
  CHECK(letter.topic == "last");
  CHECK(!letter.record_partition);
  CHECK(letter.attempts == 0);
  CHECK(!letter.key);
  CHECK(!letter.value);
  CHECK(letter.headers.empty());
}

}  // namespace
}  // namespace seriatim::test
