// The engine and its journal: what an acknowledgement of `all` survives, and what one costs.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "format/batch/batch_builder.hpp"
#include "support/failing_vfs.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

namespace fs = std::filesystem;
using detail::EngineImpl;

// Takes from every segment and index what was never synced: all of it, where nothing was.
void lose_unsynced_logs(const std::string& directory) {
  for (const auto& entry : fs::recursive_directory_iterator(directory + "/log")) {
    if (!entry.is_regular_file()) continue;
    const auto size = fs::file_size(entry.path());
    fs::resize_file(entry.path(), 0);
    fs::resize_file(entry.path(), size);
  }
}

Producer durable_producer(const Engine& engine) { return must(engine.producer({.acks = Acks::all})); }

std::uint64_t journal_syncs(const Engine& engine) { return EngineImpl::of(engine)->journal->stats().syncs; }

std::uint64_t segment_syncs(const Engine& engine) {
  return EngineImpl::of(engine)->partition_counters.syncs.value();
}

void commit(const Engine& engine, const std::string& group, const TopicPartition& at, Offset offset,
            Acks acks = Acks::all) {
  Consumer consumer = must(engine.consumer({.group_id = group, .commit_acks = acks}));
  must(consumer.commit_sync({{at, {.offset = offset, .metadata = "m" + std::to_string(offset)}}}));
}

Offset committed(const Engine& engine, const std::string& group, const TopicPartition& at) {
  const Consumer consumer = must(engine.consumer({.group_id = group}));
  const auto found = must(consumer.committed(at));
  return found ? found->offset : -1;
}

}  // namespace

TEST_CASE("INV-4: what acks=all acknowledged is there after a power cut that took every unsynced page") {
  const TempDir dir;
  const TempDir copies;
  Engine engine = open_engine(dir / "data");
  create_topic(engine, "a", 3);
  create_topic(engine, "b", 1);
  Producer producer = durable_producer(engine);
  std::vector<std::string> expected;
  for (int i = 0; i < 40; ++i) {
    const std::string value = "value-" + std::to_string(i);
    must(producer.send_sync({.topic = "a", .value = value, .partition = i % 3}));
    must(producer.send_sync({.topic = "b", .value = value}));
    expected.push_back(value);
  }
  commit(engine, "g", {"b", 0}, 17);
  const std::string copy = copy_of(engine, copies);
  lose_unsynced_logs(copy);
  const Engine after = open_engine(copy);
  CHECK(read_values(after, "b") == expected);
  for (PartitionId p = 0; p < 3; ++p) {
    std::vector<std::string> of_partition;
    for (std::size_t i = static_cast<std::size_t>(p); i < expected.size(); i += 3)
      of_partition.push_back(expected[i]);
    CHECK(read_values(after, "a", p) == of_partition);
  }
  CHECK(committed(after, "g", {"b", 0}) == 17);
}

TEST_CASE("INV-5: a recovery from the journal that stops at any step is done again by the next open") {
  const TempDir dir;
  const TempDir copies;
  Engine engine = open_engine(dir / "data");
  create_topic(engine, "t", 2);
  Producer producer = durable_producer(engine);
  std::vector<std::string> expected;
  for (int i = 0; i < 5; ++i) {
    expected.push_back("value-" + std::to_string(i));
    must(producer.send_sync({.topic = "t", .value = expected.back(), .partition = 0}));
  }
  commit(engine, "g", {"t", 0}, 3);
  bool finished = false;
  int stops = 0;
  for (std::int64_t steps = 0; !finished; ++steps) {
    const std::string copy = copy_of(engine, copies);
    lose_unsynced_logs(copy);
    {
      FailingVfs vfs;
      vfs.fail_after(steps);
      auto opened = EngineImpl::open(copy, {}, vfs, base::system_clock());
      finished = opened.ok();
      if (!finished) ++stops;
      vfs.heal();
    }
    const Engine after = open_engine(copy);
    REQUIRE(read_values(after, "t") == expected);
    REQUIRE(committed(after, "g", {"t", 0}) == 3);
  }
  CHECK(stops > 5);
}

TEST_CASE("a durable commit over many partitions and an offset is one fdatasync") {
  const TempDir dir;
  constexpr PartitionId partitions = 64;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "t", partitions);
  const auto& impl = EngineImpl::of(engine);
  must(durable_producer(engine).send_sync({.topic = "t", .value = "warm", .partition = 0}));
  const std::uint64_t segments = segment_syncs(engine);
  const std::uint64_t before = journal_syncs(engine);
  std::vector<std::pair<partition::PartitionPtr, partition::PartitionAppend>> appended;
  for (PartitionId p = 0; p < partitions; ++p) {
    auto partition = must(impl->partition("t", p));
    format::BatchBuilder builder;
    must(builder.append({.value = "v", .timestamp_ms = 1}));
    const auto appends = must(partition->append(must(builder.frame({})), partition::Durability::durable));
    CHECK(appends.lsn > 0);
    appended.emplace_back(std::move(partition), appends);
  }
  CHECK(journal_syncs(engine) == before);
  commit(engine, "g", {"t", 0}, 1);
  for (const auto& [partition, append] : appended) {
    must(partition->wait_durable(append));
    CHECK(partition->durable_offset() == partition->log_end_offset());
  }
  CHECK(journal_syncs(engine) == before + 1);
  CHECK(segment_syncs(engine) == segments);
}

TEST_CASE(
    "a batch behind one that is not journalled syncs the segment; the one after it is journalled again") {
  const TempDir dir;
  const TempDir copies;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "t");
  Producer leader = must(engine.producer({.acks = Acks::leader}));
  Producer all = durable_producer(engine);
  const auto durable = [&] { return must(engine.admin().describe_topic("t")).partitions[0].durable_offset; };
  must(leader.send_sync({.topic = "t", .value = "0"}));
  CHECK(durable() == 0);
  std::uint64_t journal = journal_syncs(engine);
  std::uint64_t segments = segment_syncs(engine);
  must(all.send_sync({.topic = "t", .value = "1"}));
  CHECK(durable() == 2);
  CHECK(journal_syncs(engine) == journal);
  CHECK(segment_syncs(engine) == segments + 1);
  segments = segment_syncs(engine);
  journal = journal_syncs(engine);
  must(all.send_sync({.topic = "t", .value = "2"}));
  CHECK(durable() == 3);
  CHECK(journal_syncs(engine) == journal + 1);
  CHECK(segment_syncs(engine) == segments);
}

TEST_CASE("a batch larger than the bypass limit is synced in its segment, and survives as the others do") {
  const TempDir dir;
  const Engine engine = open_engine(dir / "data", {.journal_bypass_bytes = 1000});
  create_topic(engine, "t");
  Producer producer = durable_producer(engine);
  must(producer.send_sync({.topic = "t", .value = "small"}));
  const std::uint64_t journal = journal_syncs(engine);
  const std::uint64_t segments = segment_syncs(engine);
  const std::string large(5000, 'x');
  must(producer.send_sync({.topic = "t", .value = large}));
  CHECK(journal_syncs(engine) == journal);
  CHECK(segment_syncs(engine) == segments + 1);
  CHECK(must(engine.admin().describe_topic("t")).partitions[0].durable_offset == 2);
}

TEST_CASE("committed offsets: the last one counts, before and after a checkpoint, a crash, a close") {
  const TempDir dir;
  const TempDir copies;
  {
    const Engine engine = open_engine(dir / "data");
    create_topic(engine, "t", 2);
    Producer producer = durable_producer(engine);
    for (int i = 0; i < 10; ++i) must(producer.send_sync({.topic = "t", .value = "v", .partition = i % 2}));
    for (const Acks acks : {Acks::all, Acks::leader}) {
      commit(engine, "g", {"t", 0}, 1, acks);
      commit(engine, "g", {"t", 0}, 4, acks);
      commit(engine, "h", {"t", 1}, 2, acks);
      CHECK(committed(engine, "g", {"t", 0}) == 4);
      CHECK(committed(open_engine(copy_of(engine, copies)), "g", {"t", 0}) == 4);
      must(EngineImpl::of(engine)->checkpointer->checkpoint());
      CHECK(committed(engine, "g", {"t", 0}) == 4);
      commit(engine, "g", {"t", 0}, 3, acks);
      const Engine after = open_engine(copy_of(engine, copies));
      CHECK(committed(after, "g", {"t", 0}) == 3);
      CHECK(committed(after, "h", {"t", 1}) == 2);
      CHECK(must(after.admin().list_groups()) == std::vector<std::string>{"g", "h"});
    }
    CHECK(must(engine.admin().group_offsets("g")).at(0).committed.metadata == "m3");
  }
  CHECK(committed(open_engine(dir / "data"), "g", {"t", 0}) == 3);
}

TEST_CASE("what was deleted does not come back from the journal: a group, a topic and its offsets") {
  const TempDir dir;
  const TempDir copies;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "t");
  create_topic(engine, "u");
  Producer producer = durable_producer(engine);
  must(producer.send_sync({.topic = "t", .value = "old"}));
  must(producer.send_sync({.topic = "u", .value = "x"}));
  commit(engine, "g", {"t", 0}, 1);
  commit(engine, "h", {"u", 0}, 1);
  must(engine.admin().delete_group("h"));
  CHECK(committed(engine, "h", {"u", 0}) == -1);
  must(engine.admin().delete_topic("t"));
  create_topic(engine, "t");
  must(producer.send_sync({.topic = "t", .value = "new"}));
  CHECK(committed(engine, "g", {"t", 0}) == -1);
  const std::string copy = copy_of(engine, copies);
  lose_unsynced_logs(copy);
  const Engine after = open_engine(copy);
  CHECK(read_values(after, "t") == std::vector<std::string>{"new"});
  CHECK(committed(after, "g", {"t", 0}) == -1);
  CHECK(committed(after, "h", {"u", 0}) == -1);
}

TEST_CASE("verify tells of frames that a writer that died has left, and of a journal that is damaged") {
  const TempDir dir;
  const TempDir copies;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "t");
  Producer producer = durable_producer(engine);
  for (int i = 0; i < 3; ++i) must(producer.send_sync({.topic = "t", .value = "x"}));
  const std::string copy = copy_of(engine, copies);
  const auto findings = must(verify(copy)).findings;
  const auto left = std::find_if(findings.begin(), findings.end(),
                                 [](const Finding& finding) { return finding.path == "journal"; });
  REQUIRE(left != findings.end());
  CHECK(left->severity == Severity::note);
  CHECK(left->what.find("3 frames") != std::string::npos);
  // The first of three frames: those behind it say that it was stored.
  std::fstream file(copy + "/journal/00000000000000000001.journal",
                    std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(1100);
  file.put('\x7F');
  file.close();
  CHECK(must(verify(copy)).worst() == Severity::damage);
  CHECK(code_of(Engine::open(copy)) == Errc::corrupt_metadata);
}

TEST_CASE("another process sees committed offsets without a checkpoint") {
  const TempDir dir;
  const TempDir copies;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "t");
  must(durable_producer(engine).send_sync({.topic = "t", .value = "x"}));
  commit(engine, "g", {"t", 0}, 1);
  must(EngineImpl::of(engine)->checkpointer->store_commits());
  // The catalog as another process would read it; this one may not have it open twice.
  const Engine looking = open_engine(copy_of(engine, copies), {.mode = OpenMode::read_only});
  CHECK(committed(looking, "g", {"t", 0}) == 1);
}

TEST_CASE("a sync of the journal that fails is final: nothing more is accepted, reading goes on") {
  const TempDir dir;
  FailingVfs vfs;
  {
    const Engine engine = open_engine_with(dir / "data", vfs, base::system_clock());
    create_topic(engine, "t");
    Producer producer = durable_producer(engine);
    must(producer.send_sync({.topic = "t", .value = "kept"}));
    vfs.fail_after(1, Errc::storage_failed);  // the write succeeds, the sync does not
    const auto failed = producer.send_sync({.topic = "t", .value = "unknown"});
    CHECK(code_of(failed) == Errc::storage_failed);
    CHECK(failed.error().outcome() == Outcome::unknown);
    vfs.heal();
    CHECK(code_of(producer.send_sync({.topic = "t", .value = "refused"})) == Errc::storage_failed);
    CHECK(code_of(
              must(engine.producer({.acks = Acks::leader})).send_sync({.topic = "t", .value = "refused"})) ==
          Errc::storage_failed);
    CHECK(read_values(engine, "t").front() == "kept");
  }
  const auto values = read_values(open_engine(dir / "data"), "t");
  REQUIRE_FALSE(values.empty());
  CHECK(values.front() == "kept");
  CHECK(std::count(values.begin(), values.end(), "refused") == 0);
}

TEST_CASE("INV-6: many producers share syncs, and each finds its own records durable") {
  const TempDir dir;
  const TempDir copies;
  const Engine engine = open_engine(dir / "data");
  constexpr int threads = 8;
  constexpr int rounds = 50;
  create_topic(engine, "t", threads);
  {
    std::vector<std::jthread> producers;
    for (int t = 0; t < threads; ++t) {
      producers.emplace_back([&engine, t] {
        Producer producer = durable_producer(engine);
        for (int i = 0; i < rounds; ++i)
          must(producer.send_sync({.topic = "t", .value = std::to_string(i), .partition = t}));
      });
    }
  }
  CHECK(journal_syncs(engine) <= threads * rounds);
  const std::string copy = copy_of(engine, copies);
  lose_unsynced_logs(copy);
  const Engine after = open_engine(copy);
  for (PartitionId p = 0; p < threads; ++p) CHECK(read_values(after, "t", p).size() == rounds);
}

TEST_CASE("where no journal file can be made the segment is synced, and positions go to the catalog") {
  const TempDir dir;
  const TempDir copies;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "t");
  // Where the file would be written: what is there is no file.
  fs::create_directories(dir / "data/journal/00000000000000000001.journal.tmp/x");
  const std::uint64_t segments = segment_syncs(engine);
  must(durable_producer(engine).send_sync({.topic = "t", .value = "kept"}));
  CHECK(journal_syncs(engine) == 0);
  CHECK(segment_syncs(engine) == segments + 1);
  CHECK(must(engine.admin().describe_topic("t")).partitions[0].durable_offset == 1);
  commit(engine, "g", {"t", 0}, 1);
  const auto stored = must(EngineImpl::of(engine)->catalog->committed("g", {"t", 0}));
  REQUIRE(stored);
  CHECK(stored->offset == 1);
}

TEST_CASE("journal limits that would ask for checkpoints without end are refused") {
  const TempDir dir;
  const auto refused = Engine::open(dir / "data", {.journal_max_bytes = 8U << 20});
  CHECK(code_of(refused) == Errc::invalid_argument);
  CHECK(message_of(refused).find("journal_max_bytes") != std::string::npos);
  CHECK_FALSE(fs::exists(dir / "data"));
}

TEST_CASE("visibility = durable shows a record once it is on stable storage, and wakes who waits for it") {
  const TempDir dir;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "t");
  Consumer consumer = must(engine.consumer({.visibility = Visibility::durable}));
  must(consumer.assign_topic("t"));
  Producer leader = must(engine.producer({.acks = Acks::leader}));
  must(leader.send_sync({.topic = "t", .value = "first"}));
  CHECK(must(consumer.poll(std::chrono::milliseconds(0))).empty());
  std::thread flusher([&] { must(engine.flush()); });
  CHECK(must(consumer.poll(std::chrono::minutes(1))).count() == 1);
  flusher.join();
  must(leader.send_sync({.topic = "t", .value = "second"}));
  CHECK(must(consumer.poll(std::chrono::milliseconds(0))).empty());
  must(durable_producer(engine).send_sync({.topic = "t", .value = "third"}));
  CHECK(must(consumer.poll(std::chrono::milliseconds(0))).count() == 2);
  Consumer refused = must(engine.consumer({.visibility = Visibility::durable}));
  must(refused.assign_topic("t"));
  must(refused.seek({"t", 0}, 99));
  CHECK(must(refused.position({"t", 0})) == 99);
}

TEST_CASE("visibility = durable in another process shows what the last checkpoint has covered") {
  const TempDir dir;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "t");
  Producer leader = must(engine.producer({.acks = Acks::leader}));
  must(leader.send_sync({.topic = "t", .value = "first"}));
  const TempDir copies;
  const auto shown_in = [](const std::string& path) {
    const Engine looking = open_engine(path, {.mode = OpenMode::read_only});
    Consumer durable = must(looking.consumer({.visibility = Visibility::durable}));
    must(durable.assign_topic("t"));
    return must(durable.poll(std::chrono::milliseconds(0))).count();
  };
  CHECK(shown_in(copy_of(engine, copies)) == 0);
  must(EngineImpl::of(engine)->checkpointer->checkpoint());
  must(leader.send_sync({.topic = "t", .value = "second"}));
  CHECK(shown_in(copy_of(engine, copies)) == 1);
  must(engine.flush());
  must(EngineImpl::of(engine)->checkpointer->checkpoint());
  CHECK(shown_in(copy_of(engine, copies)) == 2);
}

}  // namespace seriatim::test
