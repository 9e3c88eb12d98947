#include "work/record_environment.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <seriatim/engine.hpp>

#include "support/must.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::cli {
namespace {

using test::must;
using Variables = std::vector<std::string>;

// The environment of the one record that is sent with this key.
Variables environment_of(BytesView key, const Variables& inherited = {}) {
  const test::TempDir directory(test::TempDir::in_memory());
  const Engine engine = must(Engine::open(directory / "data"));
  must(engine.admin().create_topic({.name = "t"}));
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  must(producer.send_sync({.topic = "t", .key = key, .value = "v"}));
  Consumer consumer = must(engine.consumer());
  must(consumer.assign({{"t", 0}}));
  const ConsumerRecords records = must(consumer.poll(std::chrono::seconds(10)));
  REQUIRE(records.count() == 1);
  return record_environment(inherited, *records.begin(), 3);
}

const Variables place{"SERIATIM_TOPIC=t", "SERIATIM_PARTITION=0", "SERIATIM_OFFSET=0",
                      "SERIATIM_DELIVERY_COUNT=3"};

Variables with(const Variables& before, const Variables& more) {
  Variables all = before;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST_CASE("a command is told where its record is from, and no other record's place or key") {
  CHECK(environment_of("user-42") == with(place, {"SERIATIM_KEY=user-42"}));
  CHECK(environment_of("a=b\nc") == with(place, {"SERIATIM_KEY=a=b\nc"}));
  CHECK(environment_of("") == with(place, {"SERIATIM_KEY="}));
  CHECK(environment_of(BytesView()) == place);
  const Variables inherited{"PATH=/bin",         "SERIATIM_KEY=old",  "SERIATIM_KEY_B64=b2xk",
                            "SERIATIM_OFFSET=9", "SERIATIM_DIR=data", "SERIATIM_KEYS=mine"};
  CHECK(environment_of(BytesView(), inherited) ==
        with({"PATH=/bin", "SERIATIM_DIR=data", "SERIATIM_KEYS=mine"}, place));
}

TEST_CASE("a key that no environment can hold as it is comes in Base64, or not if it is too long") {
  CHECK(environment_of(std::string("a\0b", 3)) == with(place, {"SERIATIM_KEY_B64=YQBi"}));
  CHECK(environment_of("\xff\xfe") == with(place, {"SERIATIM_KEY_B64=//4="}));
  const std::string longest(90 * 1024, 'k');
  CHECK(environment_of(longest) == with(place, {"SERIATIM_KEY=" + longest}));
  CHECK(environment_of(longest + "k") == place);
}

}  // namespace
}  // namespace seriatim::cli
