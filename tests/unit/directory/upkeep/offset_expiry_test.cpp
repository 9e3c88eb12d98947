#include "directory/upkeep/offset_expiry.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "directory/background.hpp"
#include "support/failing_vfs.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::directory {
namespace {

using detail::EngineImpl;
using test::must;
using test::t0;
using test::t1;

constexpr std::int64_t retention_ms = 1'000;

// With the topics "t" and "u" of two partitions, on a clock that the test moves.
struct Expiring {
  explicit Expiring(EngineOptions options = {}, os::Vfs& vfs = os::posix_vfs())
      : engine(test::open_engine_with(directory / "data", vfs, clock, std::move(options))),
        expiry({.offsets = impl.committed_offsets,
                .groups = impl.groups,
                .clock = clock,
                .retention_ms = retention_ms,
                .is_named = [](const std::string& topic, std::string_view group) {
                  return topic == "u" && group == "named";
                }}) {
    for (const char* topic : {"t", "u"}) test::create_topic(engine, topic, 2);
  }
  void commit(const std::string& group, const TopicPartition& at) const {
    must(engine.admin().alter_group_offsets(group, {{at, {.offset = 0}}}));
  }
  std::size_t offsets_of(const std::string& group) const {
    return must(engine.admin().group_offsets(group)).size();
  }
  void pass() {
    do must(expiry.step());
    while (!expiry.is_done());
  }

  test::TempDir directory;
  base::ManualClock clock{1'000'000};
  Engine engine;
  EngineImpl& impl = *EngineImpl::of(engine);
  OffsetExpiry expiry;
};

TEST_CASE("an offset expires its time after its commit, and a group with its last one") {
  Expiring f;
  f.commit("g", t0);
  f.commit("h", t0);
  f.clock.advance_ms(600);
  f.commit("g", t1);
  f.clock.advance_ms(399);
  f.pass();
  CHECK(f.offsets_of("g") == 2);
  f.clock.advance_ms(1);
  f.pass();
  CHECK(f.offsets_of("g") == 1);
  CHECK(must(f.engine.admin().list_groups()) == std::vector<std::string>{"g"});
  f.clock.advance_ms(600);
  f.pass();
  CHECK(must(f.engine.admin().list_groups()).empty());
}

TEST_CASE("what has expired stays so after a crash, wherever it was stored") {
  for (const bool is_in_catalog : {false, true}) {
    Expiring f;
    f.commit("g", t0);
    if (is_in_catalog) must(f.impl.checkpointer->checkpoint());
    f.clock.advance_ms(retention_ms);
    f.pass();
    const test::TempDir copies;
    CHECK(must(test::open_engine(test::copy_of(f.engine, copies)).admin().list_groups()).empty());
  }
}

TEST_CASE("topics that a member subscribes to keep the offsets of its group") {
  Expiring f;
  for (const char* topic : {"t", "u"}) f.commit("g", {topic, 0});
  Consumer member = must(f.engine.consumer({.group_id = "g"}));
  must(member.subscribe({"t"}));
  f.clock.advance_ms(retention_ms);
  f.pass();
  const auto left = must(f.engine.admin().group_offsets("g"));
  REQUIRE(left.size() == 1);
  CHECK(left[0].topic_partition == t0);
  member.close();
  f.pass();
  CHECK(f.offsets_of("g") == 0);
}

TEST_CASE("a group that a topic's settings name keeps its offsets there") {
  Expiring f;
  for (const char* topic : {"t", "u"}) f.commit("named", {topic, 0});
  f.clock.advance_ms(retention_ms);
  f.pass();
  CHECK(must(f.engine.admin().group_offsets("named"))[0].topic_partition.topic == "u");
}

TEST_CASE("a step sees to so many groups, and a pass to all") {
  Expiring f;
  const std::size_t count = OffsetExpiry::groups_per_step + 5;
  for (std::size_t i = 0; i < count; ++i) f.commit("g" + std::to_string(i), t0);
  f.clock.advance_ms(retention_ms);
  must(f.expiry.step());
  CHECK_FALSE(f.expiry.is_done());
  CHECK(must(f.engine.admin().list_groups()).size() == 5);
  must(f.expiry.step());
  CHECK(f.expiry.is_done());
  CHECK(must(f.engine.admin().list_groups()).empty());
}

TEST_CASE("more positions of a group than fit a frame go in several") {
  Expiring f;
  constexpr PartitionId partitions = 1'200;
  test::create_topic(f.engine, "wide", partitions);
  TopicPartitionOffsets offsets;
  for (PartitionId i = 0; i < partitions; ++i) offsets[{"wide", i}] = {.offset = 0};
  must(f.engine.admin().alter_group_offsets("g", offsets));
  f.clock.advance_ms(retention_ms);
  f.pass();
  CHECK(f.offsets_of("g") == 0);
}

// A look at a position comes first; `between` is what happens before it is forgotten.
std::size_t expire_with(const Expiring& f, const std::function<void()>& between) {
  bool is_first = true;
  return must(f.impl.committed_offsets.expire("g", [&](const TopicPartition&, const auto&) {
    if (is_first) between();
    is_first = false;
    return true;
  }));
}

TEST_CASE("a commit between the look and the end of a position is not lost, wherever it is by then") {
  for (const bool was_in_catalog : {false, true}) {
    for (const bool is_in_catalog : {false, true}) {
      CAPTURE(was_in_catalog);
      CAPTURE(is_in_catalog);
      Expiring f;
      f.commit("g", t0);
      if (was_in_catalog) must(f.impl.checkpointer->checkpoint());
      CHECK(expire_with(f, [&] {
              f.commit("g", t0);
              if (is_in_catalog) must(f.impl.checkpointer->checkpoint());
            }) == 0);
      CHECK(f.offsets_of("g") == 1);
      const test::TempDir copies;
      CHECK(must(test::open_engine(test::copy_of(f.engine, copies)).admin().group_offsets("g")).size() == 1);
      CHECK(expire_with(f, [] {}) == 1);
      CHECK(f.offsets_of("g") == 0);
    }
  }
}

TEST_CASE("offsets that a transaction has sent are not lost, however long its decision takes") {
  Expiring f;
  f.commit("g", t0);
  TransactionalProducer producer = must(f.engine.transactional_producer({.transactional_id = "x"}));
  Transaction transaction = must(producer.begin());
  must(transaction.send_offsets({{t0, {.offset = 0, .metadata = "newer"}}}, {.group_id = "g"}));
  CHECK(expire_with(f, [] {}) == 0);
  must(transaction.commit());
  CHECK(must(f.engine.admin().group_offsets("g"))[0].committed.metadata == "newer");
  // One that is given up holds nothing back any more.
  Transaction other = must(producer.begin());
  must(other.send_offsets({{t0, {.offset = 0}}}, {.group_id = "g"}));
  must(other.abort());
  CHECK(expire_with(f, [] {}) == 1);
}

TEST_CASE("a group that cannot be seen to does not keep the others from it") {
  test::FailingVfs vfs;
  Expiring f({}, vfs);
  f.impl.background->stop();
  for (const char* group : {"g", "h"}) f.commit(group, t0);
  f.clock.advance_ms(retention_ms);
  vfs.fail_after(0);
  CHECK_FALSE(f.expiry.step().ok());
  CHECK(f.expiry.is_done());
  vfs.heal();
}

TEST_CASE("the engine looks when its interval has passed, and only if it is asked to") {
  for (const bool is_on : {true, false}) {
    CAPTURE(is_on);
    EngineOptions options{.checkpoint_interval = std::chrono::hours(10)};
    if (is_on) options.offsets_retention = std::chrono::milliseconds(retention_ms);
    Expiring f(options);
    f.commit("g", t0);
    const auto runs = [&] {
      for (const JobReport& report : f.impl.background->reports()) {
        if (report.name == "offset expiry") return report.runs;
      }
      return std::uint64_t{0};
    };
    f.clock.advance_ms(std::chrono::milliseconds(options.offsets_retention_check_interval).count());
    if (is_on) CHECK(test::comes_true([&] { return runs() == 1; }));
    CHECK(f.offsets_of("g") == (is_on ? 0 : 1));
    f.clock.advance_ms(std::chrono::milliseconds(std::chrono::hours(24 * 365)).count());
    if (!is_on) CHECK(runs() == 0);
  }
}

}  // namespace
}  // namespace seriatim::directory
