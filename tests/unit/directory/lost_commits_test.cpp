// Commits at `leader` whose records a power cut took: they are taken back whole, with every commit behind
// them, and none of which anybody was told that it is durable.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "format/batch_header.hpp"
#include "support/log_builder.hpp"
#include "support/power_vfs.hpp"
#include "unit/api/two_partitions.hpp"

namespace seriatim::test {
namespace {

namespace fs = std::filesystem;
using Values = std::vector<std::string>;
using ::seriatim::detail::EngineImpl;

// Takes what a partition has from an offset on, as if it had never reached the disk.
void lose_from(const std::string& directory, PartitionId partition, Offset offset) {
  const std::string path = log_path(directory, partition);
  const auto bytes = read_file(path);
  std::size_t at = 0;
  for (;;) {
    const auto header = format::read_batch_header(bytes.data() + at);
    REQUIRE(header.size_bytes() > format::header_bytes);
    if (header.base_offset >= offset) break;
    at += header.size_bytes();
  }
  fs::resize_file(path, at);
  fs::resize_file(path, bytes.size());
}

void commit(TransactionalProducer& producer, const std::string& value) {
  Transaction transaction = TwoPartitions::write(producer, value);
  must(transaction.commit());
}

// "a" is at 0 and its marker at 1, in both partitions; then "b" and "c".
struct ThreeCommits : TwoPartitions {
  ThreeCommits() {
    TransactionalProducer producer = transactional(engine, "id", Acks::leader);
    for (const char* value : {"a", "b", "c"}) commit(producer, value);
    left = copy_of(engine, copies);
  }
  std::string left{};
};

}  // namespace

TEST_CASE("INV-8: a commit at leader that lost a record in one partition is taken back in all of them") {
  for (const PartitionId lost : {0, 1}) {
    ThreeCommits f;
    lose_from(f.left, lost, 4);
    {
      Engine after = open_engine(f.left);
      check_all_or_nothing(after, {"a", "b"});
      check_nothing_is_open(after);
      TransactionalProducer next = transactional(after, "id", Acks::leader);
      commit(next, "d");
      check_all_or_nothing(after, {"a", "b", "d"});
      must(after.close());
    }
    check_all_or_nothing(open_engine(f.left), {"a", "b", "d"});
  }
}

TEST_CASE("a marker alone that was lost takes nothing back") {
  ThreeCommits f;
  lose_from(f.left, 0, 5);
  check_all_or_nothing(open_engine(f.left), {"a", "b", "c"});
}

TEST_CASE("every commit behind one that was taken back is, too, of transactions and of positions") {
  TwoPartitions f;
  TransactionalProducer producer = transactional(f.engine, "id", Acks::leader);
  TransactionalProducer other = transactional(f.engine, "other", Acks::leader);
  auto& impl = *EngineImpl::of(f.engine);
  must(impl.committed_offsets.commit("before", {{{"t", 0}, {.offset = 0}}}, Acks::leader));
  commit(producer, "a");
  commit_one(other, "t", "only in one", 1);
  must(impl.committed_offsets.commit("behind", {{{"t", 1}, {.offset = 1}}}, Acks::leader));
  const std::string left = copy_of(f.engine, f.copies);
  lose_from(left, 0, 0);
  const Engine after = open_engine(left);
  check_all_or_nothing(after, {});
  CHECK(committed_offset(after, "before", {"t", 0}) == 0);
  CHECK_FALSE(committed_offset(after, "behind", {"t", 1}).has_value());
}

TEST_CASE("INV-5: a recovery that takes commits back and is stopped at any step ends the same done again") {
  for (const PartitionId lost : {0, 1}) {
    ThreeCommits f;
    lose_from(f.left, lost, 2);
    check_stopped_recoveries(f.left, [](const Engine& after) { check_all_or_nothing(after, {"a"}); });
  }
}

TEST_CASE("INV-5: what a stopped recovery has aborted, the next one does not take for committed") {
  for (const PartitionId lost : {0, 1}) {
    TwoPartitions f;
    TransactionalProducer producer = transactional(f.engine, "id", Acks::leader);
    Transaction transaction = TwoPartitions::write(producer, "first");
    send(transaction, "t", "second", lost);
    must(transaction.commit());
    const std::string left = copy_of(f.engine, f.copies);
    lose_from(left, lost, 1);
    check_stopped_recoveries(left, [](const Engine& after) { check_all_or_nothing(after, {}); });
  }
}

namespace {

// How many of some power cuts take a commit at leader that `acknowledged` came behind. Each must leave it
// whole or not at all.
int cuts_that_take(const std::function<void(const Engine&)>& acknowledged, int rounds = 12) {
  Random random("power cuts after a commit at leader");
  int taken = 0;
  for (int round = 0; round < rounds; ++round) {
    const TempDir dir;
    fs::create_directory(dir / "disk");
    PowerVfs vfs(dir / "disk");
    const std::string data = dir / "disk/data";
    auto impl = must(EngineImpl::open(data, {}, vfs, base::system_clock()));
    impl->background->stop();
    const Engine engine = EngineImpl::handle(impl);
    create_topic(engine, "t", 2);
    TransactionalProducer producer = transactional(engine, "id", Acks::leader);
    commit(producer, "a");
    acknowledged(engine);
    const std::string cut = dir / "cut";
    vfs.with_disk([&](PowerDisk& disk) { disk.power_cut(cut, random); });
    const Engine after = open_engine(cut + "/data");
    const bool is_there = state_text(after, "s", "k").has_value();
    for (PartitionId i = 0; i < 2; ++i) {
      const auto values = committed_values(after, "t", i);
      CHECK((std::find(values.begin(), values.end(), "a") != values.end()) == is_there);
    }
    taken += is_there ? 0 : 1;
  }
  return taken;
}

}  // namespace

TEST_CASE("INV-4: a power cut may take a commit at leader as long as nothing behind it was called durable") {
  // As many as make it certain that some do.
  CHECK(cuts_that_take([](const Engine&) {}, 60) > 0);
}

TEST_CASE("INV-4: a power cut takes no commit at leader that a durable transaction came behind") {
  CHECK(cuts_that_take([](const Engine& engine) {
          TransactionalProducer durable = transactional(engine, "durable");
          Transaction transaction = must(durable.begin());
          must(transaction.state("other").put("k", "v"));
          must(transaction.commit());
        }) == 0);
}

TEST_CASE("INV-4: a power cut takes no commit at leader that a durable position came behind") {
  CHECK(cuts_that_take([](const Engine& engine) {
          must(EngineImpl::of(engine)->committed_offsets.commit("h", {{{"t", 0}, {.offset = 1}}}, Acks::all));
        }) == 0);
}

TEST_CASE("INV-4: a power cut takes no commit at leader that a durable record lies behind") {
  CHECK(cuts_that_take([](const Engine& engine) {
          Producer producer = must(engine.producer());
          must(producer.send_sync({.topic = "t", .value = "durable", .partition = 1}));
        }) == 0);
}

TEST_CASE("INV-4: a power cut takes no commit at leader that the catalog shows") {
  CHECK(cuts_that_take(
            [](const Engine& engine) { must(EngineImpl::of(engine)->checkpointer->store_commits()); }) == 0);
  CHECK(cuts_that_take(
            [](const Engine& engine) { must(EngineImpl::of(engine)->checkpointer->checkpoint()); }) == 0);
  CHECK(cuts_that_take([](const Engine& engine) { must(EngineImpl::of(engine)->flush()); }) == 0);
}

namespace {

// The directory as power cuts leave it at each call of a recovery.
std::vector<std::string> cuts_of_recovery(const std::string& killed, std::unique_ptr<PowerDisk> disk,
                                          const std::string& into) {
  Random random("power cuts during a recovery");
  std::vector<std::string> cuts;
  PowerVfs vfs(std::move(disk));
  vfs.before_change = [&](std::string_view, const std::string&, PowerDisk& at) {
    constexpr int cuts_of_moment = 3;  // Each loses something else.
    for (int i = 0; i < cuts_of_moment; ++i) {
      cuts.push_back(into + "/" + std::to_string(cuts.size()));
      at.power_cut(cuts.back(), random);
    }
  };
  must(EngineImpl::open(killed + "/data", {}, vfs, base::system_clock()));
  return cuts;
}

}  // namespace

// Opening syncs the last segment of each log; those before it, which the commit lies in, come later.
TEST_CASE("INV-8: a recovery shows no commit at leader before its records are on stable storage") {
  const TempDir dir;
  fs::create_directory(dir / "disk");
  fs::create_directory(dir / "cuts");
  const std::string killed = dir / "killed";
  std::unique_ptr<PowerDisk> disk;
  {
    PowerVfs vfs(dir / "disk");
    auto impl = must(EngineImpl::open(dir / "disk/data", {}, vfs, base::system_clock()));
    impl->background->stop();
    const Engine engine = EngineImpl::handle(impl);
    create_topic(engine, "t", 2);
    TransactionalProducer producer = transactional(engine, "id", Acks::leader);
    commit(producer, "a");
    for (PartitionId i = 0; i < 2; ++i) must(must(impl->partition("t", i))->roll());
    vfs.with_disk([&](PowerDisk& at) { disk = at.after_kill(killed); });
  }
  for (const std::string& cut : cuts_of_recovery(killed, std::move(disk), dir / "cuts")) {
    CAPTURE(cut);
    const Engine after = open_engine(cut + "/data");
    const bool is_there = state_text(after, "s", "k").has_value();
    check_all_or_nothing(after, is_there ? Values{"a"} : Values{});
  }
}

TEST_CASE("who holds a claim where commits at leader are to be flushed is told so, and not locked up") {
  TwoPartitions f;
  TransactionalProducer producer = transactional(f.engine, "id", Acks::leader);
  commit(producer, "a");
  auto& impl = *EngineImpl::of(f.engine);
  const TopicPartitionOffsets position{{{"t", 1}, {.offset = 1}}};
  Producer plain = must(f.engine.producer({.acks = Acks::leader}));
  Claim claim = must(plain.try_claim({"t", 0}, 10));
  const auto refused = impl.committed_offsets.commit("h", position, Acks::all);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::invalid_state);
  must(impl.committed_offsets.commit("h", position, Acks::leader));
  claim.abort();
  must(impl.committed_offsets.commit("h", position, Acks::all));
}

}  // namespace seriatim::test
