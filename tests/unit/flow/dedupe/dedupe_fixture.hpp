// A deduplicator on a real engine, with a clock of its own.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flow/dedupe/deduplicator_impl.hpp"
#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {

struct DedupeFixture {
  DedupeFixture() { create_topic(engine, "t"); }
  Deduplicator open(DeduplicatorOptions options = {}) const { return open_in(engine, std::move(options)); }
  Deduplicator open_in(const Engine& in, DeduplicatorOptions options = {}) const {
    options.name = "shop";
    options.sweeps_in_background = false;
    return must(detail::DeduplicatorImpl::open(
        in, std::move(options), [this] { return Timestamp(std::chrono::milliseconds(clock.wall_ms())); }));
  }

  TempDir dir;
  TempDir copies;
  base::ManualClock clock{1'700'000'000'000};
  Engine engine = open_engine(dir / "data");
};

/// A handler that sends `value`, and has `result` kept.
inline DedupeHandler sending(const std::string& value, const std::string& result) {
  return [value, result](Transaction& transaction) -> Result<std::optional<std::string>> {
    auto sent = transaction.send({.topic = "t", .value = value});
    if (!sent) return sent.error();
    return std::optional<std::string>(result);
  };
}

/// Sends `value` for an id that is a first, in a transaction of its own.
/// @return whether it was one.
inline bool send_once(Deduplicator& dedupe, std::string_view id, std::string_view value) {
  DedupeTransaction work = must(dedupe.begin());
  const bool is_first = must(work.check(id)).is_first;
  if (is_first) {
    must(work.transaction().send({.topic = "t", .value = value}));
    must(work.record(id));
  }
  must(work.commit());
  return is_first;
}

}  // namespace seriatim::test
