#include "text/json_record.hpp"

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <seriatim/engine.hpp>

#include "support/must.hpp"
#include "support/random.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::cli {
namespace {

using test::must;

std::string random_bytes(test::Random& random) {
  const auto size = static_cast<std::size_t>(random.between(0, 40));
  if (random.one_in(2)) return random.text(size) + (random.one_in(3) ? "\xc3\xa9\"\n" : "");
  std::string bytes(size, ' ');
  for (char& byte : bytes) byte = static_cast<char>(random.next());
  return bytes;
}

std::optional<std::string> random_field(test::Random& random) {
  return random.one_in(5) ? std::nullopt : std::optional(random_bytes(random));
}

BytesView view_of(const std::optional<std::string>& bytes) { return bytes ? BytesView(*bytes) : BytesView(); }

void send_random_record(Producer& producer, test::Random& random) {
  const auto key = random_field(random);
  const auto value = random_field(random);
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  for (std::int64_t count = random.between(0, 3); count > 0; --count)
    headers.emplace_back(random_bytes(random), random_field(random));
  std::vector<HeaderView> views;
  for (const auto& [name, content] : headers) views.push_back({name, view_of(content)});
  const std::int64_t time = random.one_in(2) ? random.between(0, std::numeric_limits<std::int64_t>::max() / 2)
                                             : random.between(0, 2'000'000'000'000);
  must(producer.send_sync({.topic = "t",
                           .key = view_of(key),
                           .value = view_of(value),
                           .timestamp = Timestamp(std::chrono::milliseconds(time)),
                           .headers = views}));
}

TEST_CASE("a record is written byte for byte as the JSON library would, whatever its bytes are") {
  test::Random random("json_record");
  const test::TempDir directory(test::TempDir::in_memory());
  const Engine engine = must(Engine::open(directory / "data"));
  must(engine.admin().create_topic({.name = "t"}));
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  constexpr std::size_t count = 2'000;
  for (std::size_t i = 0; i < count; ++i) send_random_record(producer, random);
  const ConsumerRecords records = must(must(engine.reader({"t", 0})).read(0, count));
  REQUIRE(records.count() == count);
  std::string line = "before";
  for (const RecordView& record : records) {
    line.resize(6);
    append_json(line, record);
    CHECK(line == "before" + json_of(record).dump());
  }
}

}  // namespace
}  // namespace seriatim::cli
