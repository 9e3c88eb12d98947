#include "flow/retry/retry_headers.hpp"

#include <doctest/doctest.h>

#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

/// The origin that is read of a record of these headers.
std::optional<flow::RetryOrigin> stored(const OpenedEngine& f, std::span<const HeaderView> headers) {
  Producer producer = must(f.engine.producer());
  const Offset at = must(producer.send_sync({.topic = "t", .value = "v", .headers = headers})).offset;
  const LogReader reader = must(f.engine.reader(t0));
  const ConsumerRecords records = must(reader.record_at(at));
  return flow::decode_origin(records[0]);
}

TEST_CASE("an origin is read as it was written; its error is cut at a whole character") {
  const OpenedEngine f;
  flow::RetryOrigin origin{.topic = "in",
                           .partition = 3,
                           .offset = 1'234'567'890'123,
                           .timestamp = no_timestamp,
                           .attempts = 2,
                           .first_failure = Timestamp(std::chrono::milliseconds(77)),
                           .error = std::string(999, 'x') + "\xC3\xA4",
                           .sequence = ~std::uint64_t{0}};
  flow::HeaderList headers;
  flow::add_origin(headers, origin);
  const auto read = stored(f, headers.views());
  REQUIRE(read);
  CHECK(read->topic == origin.topic);
  CHECK(read->partition == origin.partition);
  CHECK(read->offset == origin.offset);
  CHECK(read->timestamp == origin.timestamp);
  CHECK(read->attempts == 2);
  CHECK(read->first_failure == origin.first_failure);
  CHECK(read->error == std::string(999, 'x'));
  CHECK(read->sequence == origin.sequence);
  flow::HeaderList fresh;
  flow::add_origin(fresh, {.topic = "in", .partition = 0, .offset = 0});
  const auto first = stored(f, fresh.views());
  REQUIRE(first);
  CHECK(!first->first_failure);
  CHECK(!first->sequence);
}

TEST_CASE("a record with other headers, or with numbers that are none, is not a retry") {
  const OpenedEngine f;
  CHECK(!stored(f, {}));
  for (const char* partition : {"", "x", "1x", "-1", "99999999999"}) {
    flow::HeaderList headers;
    flow::add_origin(headers, {.topic = "in", .partition = 0, .offset = 0});
    headers.text("__retry.partition", partition);
    CAPTURE(partition);
    CHECK(!stored(f, headers.views()));
  }
}

}  // namespace
}  // namespace seriatim::test
