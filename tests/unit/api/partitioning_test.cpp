#include <seriatim/partitioning.hpp>

#include <doctest/doctest.h>

#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {

TEST_CASE("partition_for_key is the choice of a producer") {
  const OpenedEngine opened(12);
  Producer producer = must(opened.engine.producer({.acks = Acks::leader}));
  for (int i = 0; i < 200; ++i) {
    const std::string key = std::string(static_cast<std::size_t>(i % 9), 'k') + std::to_string(i);
    const auto sent = must(producer.send_sync({.topic = "t", .key = key, .value = "v"}));
    CHECK(sent.partition == partition_for_key(key, 12));
  }
  CHECK(must(producer.send_sync({.topic = "t", .key = "", .value = "v"})).partition ==
        partition_for_key("", 12));
}

TEST_CASE("partition_for_key knows one partition where there are none, and a null key is an empty one") {
  CHECK(partition_for_key("key", 1) == 0);
  CHECK(partition_for_key("key", 0) == 0);
  CHECK(partition_for_key("key", -5) == 0);
  CHECK(partition_for_key(BytesView(), 7) == partition_for_key("", 7));
}

}  // namespace seriatim::test
