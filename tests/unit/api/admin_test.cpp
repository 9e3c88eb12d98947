#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "support/failing_vfs.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim {
namespace {

using test::code_of;
using test::create_topic;
using test::FailingVfs;
using test::message_of;
using test::must;
using test::open_engine;
using test::open_engine_with;
using test::OpenedEngine;
using test::read_values;
using test::TempDir;

TEST_CASE("a topic that may not exist is refused with the reason, and nothing is created") {
  const OpenedEngine opened;
  const Admin admin = opened.engine.admin();
  CHECK(code_of(admin.create_topic({.name = "t"})) == Errc::topic_already_exists);
  CHECK(code_of(admin.create_topic({.name = "no/slash"})) == Errc::invalid_topic);
  CHECK(code_of(admin.create_topic({.name = "n", .partition_count = 0})) == Errc::invalid_partitions);
  CHECK(code_of(admin.create_topic({.name = "n", .partition_count = 10'001})) == Errc::invalid_partitions);
  CHECK(code_of(admin.create_topic({.name = "n", .config = {{"retention.mss", "1"}}})) ==
        Errc::invalid_config);
  CHECK(message_of(admin.create_topic({.name = "n", .config = {{"retention.mss", "1"}}}))
            .find("retention.ms") != std::string::npos);
  CHECK(code_of(admin.create_topic({.name = "n", .config = {{"segment.bytes", "1"}}})) ==
        Errc::invalid_config);
  CHECK(must(admin.list_topics()) == std::vector<std::string>{"t"});
}

TEST_CASE("creating a topic that may exist is idempotent, and differences are named with both values") {
  const OpenedEngine opened;
  const Admin admin = opened.engine.admin();
  const NewTopic wanted{.name = "orders",
                        .partition_count = 4,
                        .config = {{"retention.ms", "7d"}, {"segment.bytes", "1MiB"}},
                        .if_not_exists = true};
  CHECK(must(admin.create_topic(wanted)) == TopicCreation::created);
  const std::string id = must(admin.describe_topic("orders")).topic_id;
  CHECK(must(admin.create_topic(wanted)) == TopicCreation::existed_before);
  // Another way to write it, and settings that somebody has made since.
  NewTopic written = wanted;
  written.config = {{"segment.bytes", "1048576"}};
  must(admin.alter_config("orders", {{"retention.bytes", "5000"}}));
  CHECK(must(admin.create_topic(written)) == TopicCreation::existed_before);

  const auto refused = [&](NewTopic other, const std::vector<std::string>& both) {
    const auto outcome = admin.create_topic(other);
    CHECK(code_of(outcome) == Errc::topic_already_exists);
    for (const std::string& part : both) {
      CAPTURE(part);
      CHECK(message_of(outcome).find(part) != std::string::npos);
    }
  };
  NewTopic other = wanted;
  other.partition_count = 8;
  refused(other, {"orders", "4 partitions", "8 are asked for", "create_partitions"});
  other = wanted;
  other.partition_count = 2;
  refused(other, {"4 partitions", "2 are asked for"});
  other = wanted;
  other.config["retention.ms"] = "1000";
  refused(other, {"retention.ms=604800000", "retention.ms=1000", "alter_config"});
  // A default that is asked for by name differs as well.
  refused(
      {.name = "orders", .partition_count = 4, .config = {{"retention.bytes", "-1"}}, .if_not_exists = true},
      {"retention.bytes=5000", "retention.bytes=-1"});
  other = wanted;
  other.config["retention.mss"] = "1";
  CHECK(code_of(admin.create_topic(other)) == Errc::invalid_config);
  other = wanted;
  other.if_not_exists = false;
  refused(other, {"if_not_exists"});
  CHECK(must(admin.describe_topic("orders")).topic_id == id);
}

TEST_CASE("an unknown topic is answered with the nearest name") {
  const OpenedEngine opened;
  create_topic(opened.engine, "payments");
  const Admin admin = opened.engine.admin();
  CHECK(message_of(admin.describe_topic("paymets")).find("payments") != std::string::npos);
  CHECK(code_of(admin.describe_topic("paymets")) == Errc::unknown_topic_or_partition);
  CHECK(code_of(admin.delete_topic("no")) == Errc::unknown_topic_or_partition);
  CHECK(code_of(admin.create_partitions("no", 2)) == Errc::unknown_topic_or_partition);
  CHECK(code_of(admin.alter_config("no", {})) == Errc::unknown_topic_or_partition);
  CHECK(code_of(admin.reset_config("no", {})) == Errc::unknown_topic_or_partition);
  CHECK(code_of(opened.engine.reader({"t", 1})) == Errc::unknown_topic_or_partition);
  CHECK(code_of(opened.engine.reader({"t", -1})) == Errc::unknown_topic_or_partition);
}

TEST_CASE(
    "a deleted topic is gone with its files, also for handles that knew it, and its name can be used again") {
  const OpenedEngine opened(2);
  const Admin admin = opened.engine.admin();
  Producer producer = must(opened.engine.producer());
  must(producer.send_sync({.topic = "t", .value = "old", .partition = 1}));
  const LogReader reader = must(opened.engine.reader({"t", 1}));
  const ConsumerRecords pinned = must(reader.read(0, 1));
  const std::string old_id = must(admin.describe_topic("t")).topic_id;

  must(admin.delete_topic("t"));
  for (const auto& entry : std::filesystem::directory_iterator(opened.path() + "/log"))
    CHECK(entry.path().filename() == "MOMENT");
  CHECK(code_of(producer.send_sync({.topic = "t", .value = "x", .partition = 1})) ==
        Errc::unknown_topic_or_partition);
  CHECK(code_of(reader.read(0, 1)) == Errc::unknown_topic_or_partition);
  CHECK(pinned[0].value().text() == "old");

  create_topic(opened.engine, "t", 2);
  CHECK(must(admin.describe_topic("t")).topic_id != old_id);
  CHECK(must(producer.send_sync({.topic = "t", .value = "new", .partition = 1})).offset == 0);
  CHECK(read_values(opened.engine, "t", 1) == std::vector<std::string>{"new"});
}

TEST_CASE("topics that come and go while others send leave no two writers of one directory") {
  const OpenedEngine opened;
  const Admin admin = opened.engine.admin();
  std::atomic<bool> stop{false};
  std::atomic<int> unexpected{0};
  std::vector<std::thread> senders;
  for (int i = 0; i < 3; ++i) {
    senders.emplace_back([&] {
      Producer producer = must(opened.engine.producer({.acks = Acks::leader}));
      while (!stop) {
        const auto sent = producer.send_sync({.topic = "fleeting", .value = "x"});
        if (!sent && sent.error().code() != Errc::unknown_topic_or_partition) ++unexpected;
      }
    });
  }
  for (int round = 0; round < 20; ++round) {
    create_topic(opened.engine, "fleeting");
    const Offset seen = must(admin.list_offset({"fleeting", 0}, OffsetSpec::latest));
    CHECK(test::comes_true([&] {
      return must(admin.list_offset({"fleeting", 0}, OffsetSpec::latest)) > seen;
    }));
    must(admin.delete_topic("fleeting"));
  }
  stop = true;
  for (auto& sender : senders) sender.join();
  CHECK(unexpected == 0);
}

TEST_CASE("partitions are added, never taken away, and are there after a reopen") {
  const TempDir directory;
  const std::string path = directory / "data";
  {
    const Engine engine = open_engine(path);
    create_topic(engine, "t", 2);
    Producer producer = must(engine.producer());
    CHECK(code_of(producer.send_sync({.topic = "t", .value = "x", .partition = 3})) ==
          Errc::unknown_topic_or_partition);
    CHECK(code_of(engine.admin().create_partitions("t", 2)) == Errc::invalid_partitions);
    CHECK(code_of(engine.admin().create_partitions("t", 1)) == Errc::invalid_partitions);
    must(engine.admin().create_partitions("t", 4));
    CHECK(must(producer.send_sync({.topic = "t", .value = "x", .partition = 3})).offset == 0);
  }
  const Engine engine = open_engine(path);
  CHECK(must(engine.admin().describe_topic("t")).partitions.size() == 4);
  CHECK(read_values(engine, "t", 3).size() == 1);
}

TEST_CASE("a configuration change takes effect at once, all of it or nothing, and outlives the engine") {
  const TempDir directory;
  const std::string path = directory / "data";
  {
    const Engine engine = open_engine(path);
    const Admin admin = engine.admin();
    create_topic(engine, "t", 1, {{"retention.ms", "1000"}});
    Producer producer = must(engine.producer());
    const std::string large(2000, 'x');
    must(producer.send_sync({.topic = "t", .value = large}));
    must(admin.alter_config("t", {{"max.message.bytes", "1KiB"}}));
    CHECK(code_of(producer.send_sync({.topic = "t", .value = large})) == Errc::record_too_large);
    CHECK(code_of(admin.alter_config("t", {{"retention.ms", "5"}, {"segment.bytes", "-3"}})) ==
          Errc::invalid_config);
    CHECK(must(admin.describe_topic("t")).config.retention_ms == 1000);
    CHECK(code_of(admin.reset_config("t", {"retention.ms", "nonsense"})) == Errc::invalid_config);
    CHECK(must(admin.describe_topic("t")).overrides.count("retention.ms") == 1);
    must(admin.reset_config("t", {"retention.ms"}));
  }
  const Engine engine = open_engine(path);
  const TopicDescription description = must(engine.admin().describe_topic("t"));
  CHECK(description.config.retention_ms == TopicConfig{}.retention_ms);
  CHECK(description.config.max_message_bytes == 1024);
  CHECK(description.overrides == ConfigMap{{"max.message.bytes", "1KiB"}});
}

TEST_CASE("a partition that cannot be opened is described as damaged, and hides no other") {
  OpenedEngine opened(2);
  Producer producer = must(opened.engine.producer({.acks = Acks::leader}));
  for (const PartitionId partition : {0, 1})
    must(producer.send_sync({.topic = "t", .value = "v", .partition = partition}));
  must(opened.engine.close());
  const std::string index = opened.path() + "/log/t-0/00000000000000000000.index";
  std::filesystem::remove(index);
  const Engine engine = open_engine(opened.path(), {.mode = OpenMode::read_only});
  const TopicDescription description = must(engine.admin().describe_topic("t"));
  REQUIRE(description.partitions.size() == 2);
  const PartitionDescription& damaged = description.partitions[0];
  REQUIRE(damaged.damage);
  CHECK(damaged.damage->find(index) != std::string::npos);
  CHECK(damaged.damage->find("seriatim repair") != std::string::npos);
  CHECK(damaged.high_watermark == 0);
  CHECK_FALSE(description.partitions[1].damage);
  CHECK(description.partitions[1].high_watermark == 1);
  CHECK(code_of(engine.reader({"t", 0})) == Errc::corrupt_metadata);
}

TEST_CASE("a description has every partition's offsets, segments and bytes") {
  const OpenedEngine opened(2, {{"segment.bytes", "4096"}});
  Producer producer = must(opened.engine.producer({.acks = Acks::leader}));
  for (int i = 0; i < 10; ++i)
    must(producer.send_sync({.topic = "t", .value = std::string(1000, 'x'), .partition = 1}));
  const TopicDescription description = must(opened.engine.admin().describe_topic("t"));
  CHECK(description.name == "t");
  CHECK(description.topic_id.size() == 22);
  REQUIRE(description.partitions.size() == 2);
  CHECK(description.partitions[0].log_end_offset == 0);
  CHECK(description.partitions[0].size_bytes == 0);
  const PartitionDescription& full = description.partitions[1];
  CHECK(full.log_start_offset == 0);
  CHECK(full.high_watermark == 10);
  CHECK(full.log_end_offset == 10);
  CHECK(full.durable_offset <= 10);
  CHECK(full.segment_count > 1);
  CHECK(full.size_bytes > 10'000);
  CHECK_FALSE(full.damage.has_value());
}

TEST_CASE("a partition that cannot be made for want of space is made by the next send once there is some") {
  const TempDir directory;
  FailingVfs vfs;
  const Engine engine = open_engine_with(directory / "data", vfs, base::system_clock());
  create_topic(engine, "t");
  Producer producer = must(engine.producer());
  vfs.fail_after(0, Errc::storage_full);
  CHECK(code_of(producer.send_sync({.topic = "t", .value = "x"})) == Errc::storage_full);
  vfs.heal();
  CHECK(must(producer.send_sync({.topic = "t", .value = "x"})).offset == 0);
}

}  // namespace
}  // namespace seriatim
