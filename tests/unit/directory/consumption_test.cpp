// Retention by consumption: groups that let segments go, and groups that keep them.
#include "directory/consumption.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "directory/background.hpp"
#include "support/power_vfs.hpp"
#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

namespace fs = std::filesystem;
using ::seriatim::detail::EngineImpl;

// Two records a segment, so that ten make five, with bases 0, 2, 4, 6 and 8.
constexpr int record_bytes = 400;
constexpr Offset records = 10;

void send_records(const Engine& engine, int count = records) {
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  for (int i = 0; i < count; ++i)
    must(producer.send_sync({.topic = "t", .value = std::string(record_bytes, 'x'), .partition = 0}));
}

void make_topic(const Engine& engine, ConfigMap config) {
  config["segment.bytes"] = "1024";
  config.try_emplace("retention.ms", "-1");
  create_topic(engine, "t", 1, std::move(config));
  send_records(engine);
}

Offset log_start(const Engine& engine) {
  return must(engine.admin().describe_topic("t")).partitions[0].log_start_offset;
}

struct Consumed {
  explicit Consumed(ConfigMap config) { make_topic(engine, std::move(config)); }
  void commit(const std::string& group, Offset offset) const {
    must(engine.admin().alter_group_offsets(group, {{t0, {.offset = offset}}}));
  }
  Offset start_after_retention() const {
    must(engine.admin().apply_retention("t"));
    return log_start(engine);
  }
  TempDir directory;
  Engine engine = open_engine(directory / "data");
};

}  // namespace

TEST_CASE("segments go once every group of retention.consumed.groups has read them") {
  const Consumed f(ConfigMap{{"retention.consumed.groups", "a,b"}});
  f.commit("a", 10);
  CHECK(f.start_after_retention() == 0);  // "b" has committed nothing, so it has read nothing.
  f.commit("b", 3);
  CHECK(f.start_after_retention() == 2);
  f.commit("other", 0);
  f.commit("b", 10);
  CHECK(f.start_after_retention() == 8);  // The segment that is written to stays.
  CHECK(read_all(f.engine, "t").size() == 2);
}

TEST_CASE("a share group has read what lies below its first record that is not done") {
  const Consumed f(ConfigMap{{"retention.consumed.groups", "work"}, {"retention.unread.groups", "work"}});
  auto worker = must(f.engine.share_consumer({.group_id = "work",
                                              .acknowledgement_mode = ShareAcknowledgementMode::explicit_,
                                              .commit_acks = Acks::leader}));
  must(worker.subscribe({"t"}));
  const ShareRecords polled = must(worker.poll(std::chrono::milliseconds(0)));
  REQUIRE(polled.count() == static_cast<std::size_t>(records));
  CHECK(f.start_after_retention() == 0);
  for (Offset offset = 0; offset < records; ++offset) {
    if (offset != 5) must(worker.acknowledge(t0, offset, AcknowledgeType::accept));
  }
  must(worker.commit_sync());
  CHECK(f.start_after_retention() == 4);
  must(worker.acknowledge(t0, 5, AcknowledgeType::accept));
  must(worker.commit_sync());
  CHECK(f.start_after_retention() == 8);
}

TEST_CASE("the background's passes do the same, and leave a deleted topic alone") {
  TempDir directory;
  base::ManualClock clock{1'000'000};
  const Engine engine = open_engine_with(directory / "data", os::posix_vfs(), clock,
                                         {.maintenance_interval = std::chrono::minutes(5)});
  make_topic(engine, {{"retention.consumed.groups", "a"}});
  create_topic(engine, "gone", 1, {{"retention.consumed.groups", "a"}});
  must(must(engine.producer()).send_sync({.topic = "gone", .value = "v"}));
  must(engine.admin().alter_group_offsets("a", {{t0, {.offset = 5}}}));
  must(engine.admin().delete_topic("gone"));
  CHECK(comes_true([&] {
    clock.advance_ms(10'000);
    return log_start(engine) == 4;
  }));
  CHECK(engine.metrics().background_errors == 0);
}

TEST_CASE("neither size nor time take what a group of retention.unread.groups has not read") {
  for (const char* setting : {"retention.ms", "retention.bytes"}) {
    CAPTURE(setting);
    const Consumed f({{"retention.unread.groups", "a,b"}, {setting, "0"}});
    CHECK(f.start_after_retention() == 0);
    f.commit("a", 10);
    CHECK(f.start_after_retention() == 0);
    f.commit("b", 5);
    CHECK(f.start_after_retention() == 4);
    // A group that is deleted has read nothing, whatever it had committed.
    must(f.engine.admin().delete_group("b"));
    f.commit("b", 9);
    must(f.engine.admin().delete_group("b"));
    CHECK(f.start_after_retention() == 4);
    must(f.engine.admin().alter_config("t", {{"retention.unread.groups", "a"}}));
    CHECK(f.start_after_retention() == 10);
  }
}

TEST_CASE("groups that keep records go before groups that let them go") {
  const Consumed f({{"retention.consumed.groups", "a"}, {"retention.unread.groups", "b"}});
  f.commit("a", 10);
  CHECK(f.start_after_retention() == 0);
  f.commit("b", 6);
  CHECK(f.start_after_retention() == 6);
}

TEST_CASE("records that are deleted by name go, whoever has not read them") {
  const Consumed f(ConfigMap{{"retention.unread.groups", "a"}});
  must(f.engine.admin().delete_records(t0, 4));
  must(f.engine.admin().apply_retention("t"));
  const auto topic = must(f.engine.admin().describe_topic("t")).partitions[0];
  CHECK(topic.log_start_offset == 4);
  CHECK(topic.segment_count == 3);
}

TEST_CASE("INV-9: what a group has read goes no further than an open transaction") {
  const Consumed f(ConfigMap{{"retention.consumed.groups", "a"}});
  TransactionalProducer producer = transactional(f.engine);
  Transaction transaction = must(producer.begin());
  send(transaction, "t", std::string(record_bytes, 'y'));
  send_records(f.engine, 4);
  f.commit("a", 15);
  must(f.engine.admin().apply_retention("t", true));
  CHECK(log_start(f.engine) <= 10);
  must(transaction.commit());
  must(f.engine.admin().apply_retention("t", true));
  CHECK(log_start(f.engine) > 10);
}

namespace {

// Something is committed to the group "a" without a wait for the disk, and what it has read is deleted. At
// each removal of a file the disk is left to a kill, or to a power cut.
struct CutInRetention {
  CutInRetention(const ConfigMap& config, const std::function<void(const Engine&)>& commit) {
    fs::create_directory(dir / "disk");
    PowerVfs vfs(dir / "disk");
    bool is_at_it = false;
    vfs.before_change = [&](std::string_view what, const std::string&, PowerDisk& disk) {
      if (!is_at_it || what != "remove") return;
      disk.kill(next());
      for (int i = 0; i < 3; ++i) disk.power_cut(next(), random);
    };
    auto impl = must(EngineImpl::open(dir / "disk/data", {}, vfs, base::system_clock()));
    impl->background->stop();
    const Engine engine = EngineImpl::handle(impl);
    make_topic(engine, config);
    create_topic(engine, "out");
    must(engine.flush());
    commit(engine);
    is_at_it = true;
    must(engine.admin().apply_retention("t"));
    is_at_it = false;
    CHECK(log_start(engine) == 6);
    vfs.with_disk([&](PowerDisk& disk) {
      for (int i = 0; i < 10; ++i) disk.power_cut(next(), random);
    });
  }
  std::string next() {
    left.push_back(dir / ("left" + std::to_string(left.size())));
    return left.back();
  }
  TempDir dir;
  Random random{"power cuts in retention by consumption"};
  std::vector<std::string> left{};
};

void check_that_it_is_read(const Engine& after) {
  CHECK(committed_offset(after, "a", t0) == 7);
  CHECK(log_start(after) <= 6);
  must(after.admin().apply_retention("t"));
  CHECK(log_start(after) == 6);
}

}  // namespace

TEST_CASE("INV-4: no fault sets a group back to before a log start that it was the reason for") {
  for (const ConfigMap& config : {ConfigMap{{"retention.consumed.groups", "a"}},
                                  ConfigMap{{"retention.unread.groups", "a"}, {"retention.bytes", "0"}}}) {
    const CutInRetention f(config, [](const Engine& engine) {
      must(EngineImpl::of(engine)->committed_offsets.commit("a", {{t0, {.offset = 7}}}, Acks::leader));
    });
    CHECK(f.left.size() > 20);
    for (const std::string& left : f.left) {
      CAPTURE(left);
      check_that_it_is_read(open_engine(left + "/data"));
    }
  }
}

TEST_CASE("INV-4: no fault takes the outcome of records that went because a transaction had read them") {
  const CutInRetention f({{"retention.consumed.groups", "a"}, {"retention.ms", "-1"}},
                         [](const Engine& engine) {
                           TransactionalProducer producer = transactional(engine, "id", Acks::leader);
                           Transaction transaction = must(producer.begin());
                           send(transaction, "out", "outcome");
                           must(transaction.send_offsets({{t0, {.offset = 7}}}, {.group_id = "a"}));
                           must(transaction.commit());
                         });
  for (const std::string& left : f.left) {
    CAPTURE(left);
    const Engine after = open_engine(left + "/data");
    check_that_it_is_read(after);
    CHECK(committed_values(after, "out") == std::vector<std::string>{"outcome"});
  }
}

}  // namespace seriatim::test
