// The handles: idempotent handlers, options, lives that end in another order.
#include <seriatim/flow/deduplicator.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "unit/flow/dedupe/dedupe_fixture.hpp"

namespace seriatim::test {
namespace {

using std::chrono::milliseconds;

}  // namespace

TEST_CASE("an idempotent handler runs once, and its result is returned again") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  for (int i = 0; i < 3; ++i) {
    DedupeTransaction work = must(dedupe.begin());
    const DedupeSeen seen = must(work.once("a", sending("v", "done")));
    CHECK(seen.is_first == (i == 0));
    CHECK(seen.result == "done");
    must(work.commit());
  }
  CHECK(committed_values(f.engine, "t") == std::vector<std::string>{"v"});
}

TEST_CASE("a handler that fails or throws records nothing") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  const auto attempt = [&](const DedupeHandler& handler) {
    DedupeTransaction work = must(dedupe.begin());
    return code_of(work.once("a", handler));
  };
  CHECK(attempt([](Transaction&) -> Result<std::optional<std::string>> {
          return Error(Errc::not_found, "no such customer");
        }) == Errc::not_found);
  CHECK(attempt([](Transaction&) -> Result<std::optional<std::string>> {
          throw std::runtime_error("thrown");
        }) == Errc::io_error);
  CHECK(attempt({}) == Errc::invalid_argument);
  CHECK(send_once(dedupe, "a", "v"));
}

TEST_CASE("a topic that is not there is the error of the handler, and the id stays free") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  {
    DedupeTransaction work = must(dedupe.begin());
    const auto sent = work.once("a", [](Transaction& transaction) -> Result<std::optional<std::string>> {
      auto done = transaction.send({.topic = "no", .value = "v"});
      if (!done) return done.error();
      return std::optional<std::string>();
    });
    CHECK(code_of(sent) == Errc::unknown_topic_or_partition);
  }
  CHECK(send_once(dedupe, "a", "v"));
}

TEST_CASE("transactions outlive their deduplicator") {
  const DedupeFixture f;
  std::optional<Deduplicator> dedupe = f.open();
  DedupeTransaction work = must(dedupe->begin());
  DedupeTransaction given_up = must(dedupe->begin());
  must(work.once("a", sending("v", "r")));
  must(given_up.once("b", sending("w", "r")));
  dedupe.reset();
  must(work.commit());
  { const DedupeTransaction gone = std::move(given_up); }
  Deduplicator again = f.open();
  CHECK_FALSE(send_once(again, "a", "v"));
  CHECK(send_once(again, "b", "w"));
}

TEST_CASE("transactions that are destroyed behind the close of their engine end there") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  DedupeTransaction work = must(dedupe.begin());
  must(work.once("a", sending("v", "r")));
  must(f.engine.close());
  CHECK(code_of(work.check("b")) == Errc::closed);
  CHECK(code_of(work.commit()) == Errc::closed);
  CHECK(code_of(dedupe.begin()) == Errc::closed);
}

TEST_CASE("options of a deduplicator out of their range are refused") {
  const DedupeFixture f;
  const auto refused = [&](DeduplicatorOptions options) {
    return code_of(Deduplicator::open(f.engine, std::move(options)));
  };
  CHECK(refused({}) == Errc::invalid_argument);
  CHECK(refused({.name = std::string(81, 'x')}) == Errc::invalid_argument);
  CHECK(refused({.name = std::string("a\0b", 3)}) == Errc::invalid_argument);
  CHECK(refused({.name = "a", .window_time = milliseconds(0)}) == Errc::invalid_argument);
  CHECK(refused({.name = "a", .window_count = 0}) == Errc::invalid_argument);
  CHECK(refused({.name = "a", .result_bytes_max = 1'000'001}) == Errc::invalid_argument);
  CHECK(refused({.name = "a", .transactions_max = 0}) == Errc::invalid_argument);
  CHECK(refused({.name = "a", .transactions_max = 65}) == Errc::invalid_argument);
  CHECK(refused({.name = "a", .wait = milliseconds(-1)}) == Errc::invalid_argument);
  CHECK(refused({.name = "a", .transactions = {.transactional_id = "x"}}) == Errc::invalid_argument);
  CHECK(refused({.name = "a", .transactions = {.acks = Acks::none}}) == Errc::invalid_argument);
  must(Deduplicator::open(f.engine, {.name = std::string(80, 'x'),
                                     .window_time = milliseconds::max(),
                                     .window_count = std::numeric_limits<std::uint64_t>::max(),
                                     .wait = milliseconds::max()}));
}

TEST_CASE("handles that were moved from answer closed") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  DedupeTransaction work = must(dedupe.begin());
  { const DedupeTransaction taken = std::move(work); }
  { const Deduplicator taken = std::move(dedupe); }
  CHECK(code_of(work.check("a")) == Errc::closed);
  CHECK(code_of(work.record("a")) == Errc::closed);
  CHECK(code_of(work.once("a", sending("v", "r"))) == Errc::closed);
  CHECK(code_of(work.commit()) == Errc::closed);
  CHECK(code_of(work.abort()) == Errc::closed);
  CHECK(code_of(dedupe.begin()) == Errc::closed);
  CHECK(code_of(dedupe.forget("a")) == Errc::closed);
  CHECK(code_of(dedupe.sweep()) == Errc::closed);
  CHECK(dedupe.counts().ids == 0);
}

}  // namespace seriatim::test
