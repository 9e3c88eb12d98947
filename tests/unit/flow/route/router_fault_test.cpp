// INV-4 for routers: whichever call of the file system fails while one binds or publishes, in the end a
// message is in all of its topics or in none, and bindings are there whole.
#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "directory/background.hpp"
#include "support/fault_vfs.hpp"
#include "unit/flow/route/router_fixture.hpp"

namespace seriatim::test {
namespace {

struct RouteAttempt {
  bool is_met = false;
  Result<Routed> first = Routed{};  ///< To a and b.
  Result<BindingId> bound = BindingId{0};
  Result<Routed> second = Routed{};  ///< To a, b and, if that was bound, c.
  std::size_t bindings_seen = 0;     ///< Once the disk works again.
};

RouteAttempt attempt_to_route(const std::string& directory, const Fault& fault) {
  FaultVfs vfs;
  RouteAttempt attempt;
  const Engine engine = open_engine_with(directory, vfs, base::system_clock(),
                                         {.journal_max_bytes = 1U << 20U, .journal_file_bytes = 64U << 10U});
  // Of nothing but what is tried the fault is met.
  detail::EngineImpl::of(engine)->background->stop();
  for (const char* topic : {"a", "b", "c", "other"}) create_topic(engine, topic);
  {
    Router router = must(Router::open(engine, {.name = "r"}));
    must(router.change({.bind = {everything("a"), everything("b")}}));
    vfs.arm(fault);
    attempt.first = router.publish(message_of_key("1"));
    attempt.bound = router.bind(everything("c"));
    attempt.second = router.publish(message_of_key("2"));
    attempt.is_met = vfs.met() > 0;
    vfs.heal();
    if (const auto bindings = router.bindings()) attempt.bindings_seen = bindings->size();
  }
  const auto closed = engine.close();  // After a failed sync it says so again.
  return attempt;
}

// How often the messages of a routing key came to a, b and c.
std::vector<std::size_t> arrivals(const Engine& engine, std::string_view key) {
  std::vector<std::size_t> counts;
  for (const char* topic : {"a", "b", "c"}) {
    Consumer consumer = must(engine.consumer());
    must(consumer.assign_topic(topic));
    std::size_t count = 0;
    const auto records = must(consumer.poll(std::chrono::milliseconds(0)));
    for (const RecordView& record : records) {
      if (record.header(routing_key_header)->text() == key) ++count;
    }
    counts.push_back(count);
  }
  return counts;
}

using ArrivalCounts = std::vector<std::size_t>;

bool is_certainly_not(const Error& error) { return error.outcome() == Outcome::not_written; }

void check_what_is_left(const std::string& directory, const RouteAttempt& tried) {
  const Engine engine = open_engine(directory);
  Router router = must(Router::open(engine, {.name = "r"}));
  const std::size_t bindings = must(router.bindings()).size();
  const ArrivalCounts first = arrivals(engine, "1");
  const bool is_there = first == ArrivalCounts{1, 1, 0};
  CHECK((is_there || first == ArrivalCounts{0, 0, 0}));
  if (tried.first) CHECK(is_there);
  if (!tried.first && is_certainly_not(tried.first.error())) CHECK_FALSE(is_there);
  CHECK((bindings == 2 || bindings == 3));
  if (tried.bound) CHECK(bindings == 3);
  if (!tried.bound && is_certainly_not(tried.bound.error())) CHECK(bindings == 2);
  // The router had found out, if it said anything.
  if (tried.bindings_seen != 0) CHECK(tried.bindings_seen == bindings);
  const ArrivalCounts second = arrivals(engine, "2");
  // By the bindings of the moment: a binding that may be there is used from the next change on.
  const bool is_second_there = second == (tried.bound ? ArrivalCounts{1, 1, 1} : ArrivalCounts{1, 1, 0});
  CHECK((is_second_there || second == ArrivalCounts{0, 0, 0}));
  if (tried.second) CHECK(is_second_there);
  if (!tried.second && is_certainly_not(tried.second.error())) CHECK_FALSE(is_second_there);
  // And it goes on.
  CHECK(must(router.publish(message_of_key("3"))).targets.size() == bindings);
}

// Lets each call of the kind fail in turn; how often one did.
std::int64_t fail_in_turn(Calls calls, bool for_ever) {
  CAPTURE(static_cast<int>(calls));
  CAPTURE(for_ever);
  const int error = calls == Calls::syncs ? EIO : ENOSPC;
  for (std::int64_t after = 0;; ++after) {
    const TempDir dir;
    CAPTURE(after);
    const RouteAttempt tried = attempt_to_route(
        dir / "data", {.calls = calls, .error = error, .after = after, .for_ever = for_ever});
    check_what_is_left(dir / "data", tried);
    if (tried.is_met) continue;
    REQUIRE(tried.first);
    REQUIRE(tried.bound);
    REQUIRE(tried.second);
    return after;
  }
}

}  // namespace

TEST_CASE("INV-4: messages come to all topics or none and bindings are whole, whatever call fails") {
  for (const Calls calls : {Calls::takes, Calls::changes, Calls::syncs}) {
    // To publish, to bind, to publish again.
    for (const bool for_ever : {false, true}) CHECK(fail_in_turn(calls, for_ever) >= 3);
  }
}

TEST_CASE("a router whose disk was full goes on once there is room, and has lost nothing") {
  const TempDir dir;
  FaultVfs vfs;
  const Engine engine = open_engine_with(dir / "data", vfs, base::system_clock(),
                                         {.journal_max_bytes = 1U << 20U, .journal_file_bytes = 64U << 10U});
  for (const char* topic : {"a", "b", "c", "other"}) create_topic(engine, topic);
  Router router = must(Router::open(engine, {.name = "r"}));
  must(router.change({.bind = {everything("a"), everything("b")}}));
  std::size_t acknowledged = 0;
  std::size_t unknown = 0;
  const std::string large(20'000, 'x');
  vfs.arm({.calls = Calls::takes, .error = ENOSPC, .for_ever = true});
  bool is_full = false;
  for (int i = 0; i < 2'000 && !is_full; ++i) {
    const auto routed = router.publish({.routing_key = "k", .record = {.value = large}});
    if (routed) ++acknowledged;
    is_full = !routed;
    if (!routed && routed.error().outcome() == Outcome::unknown) ++unknown;
  }
  REQUIRE(is_full);
  vfs.heal();
  CHECK(comes_true([&] {
    const auto routed = router.publish({.routing_key = "k", .record = {.value = "after"}});
    if (routed) ++acknowledged;
    return routed.ok();
  }));
  must(router.bind(everything("c")));
  const auto in_a = committed_values(engine, "a");
  CHECK(in_a == committed_values(engine, "b"));
  CHECK(in_a.size() >= acknowledged);
  CHECK(in_a.size() <= acknowledged + unknown);
}

}  // namespace seriatim::test
