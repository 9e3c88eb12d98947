// Commits that nobody waits for: their order, their callbacks, and what is refused at once.
#include "consumer/group/async_commits.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "directory/background.hpp"
#include "support/fault_vfs.hpp"
#include "unit/api/engine_fixture.hpp"
#include "unit/consumer/group/group_fixture.hpp"

namespace seriatim::test {
namespace {

/// The calls of callbacks, as text: "0 " for offset 0 that is stored, "0! " for one that is not.
struct ToldOutcomes {
  std::string text{};
  OffsetCommitCallback callback() {
    return [this](const TopicPartitionOffsets& offsets, const Result<>& outcome) {
      text += std::to_string(offsets.begin()->second.offset) + (outcome ? " " : "! ");
    };
  }
};

TopicPartitionOffsets position_at(Offset offset) { return {{t0, {.offset = offset}}}; }

/// A partition of five records, and a consumer of group g that is no member.
struct AsyncFixture {
  explicit AsyncFixture(Acks acks, os::Vfs* vfs = nullptr, EngineOptions options = {})
      : engine(vfs == nullptr
                   ? open_engine(directory / "data", std::move(options))
                   : open_engine_with(directory / "data", *vfs, base::system_clock(), std::move(options))) {
    create_topic(engine, "t");
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (int i = 0; i < 5; ++i) must(producer.send_sync({.topic = "t", .value = "v"}));
    consumer.emplace(make(acks));
  }
  Consumer make(Acks acks) const {
    Consumer made = must(engine.consumer({.group_id = "g", .max_poll_records = 2, .commit_acks = acks}));
    must(made.assign({t0}));
    return made;
  }
  /// Nothing else of the engine meets the file system from here on.
  void keep_quiet() { detail::EngineImpl::of(engine)->background->stop(); }

  TempDir directory;
  Engine engine;
  std::optional<Consumer> consumer{};
};

/// A disk whose syncs wait while it is busy.
class BusyVfs final : public PassingVfs {
 public:
  void set_busy(bool is_busy) {
    const std::lock_guard lock(mutex_);
    is_busy_ = is_busy;
    changed_.notify_all();
  }
  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    return open_as<BusyFile>(path, mode, *this);
  }

 private:
  class BusyFile final : public PassingFile {
   public:
    BusyFile(std::unique_ptr<os::File> file, BusyVfs& vfs) : PassingFile(std::move(file)), vfs_(vfs) {}
    Result<void> sync_data() override {
      std::unique_lock lock(vfs_.mutex_);
      vfs_.changed_.wait(lock, [&] { return !vfs_.is_busy_; });
      lock.unlock();
      return PassingFile::sync_data();
    }

   private:
    BusyVfs& vfs_;
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_busy_ = false;
};

}  // namespace

TEST_CASE("an asynchronous commit waits for no disk; a poll runs its callback once it is on stable storage") {
  BusyVfs vfs;
  AsyncFixture f(Acks::all, &vfs);
  f.keep_quiet();
  ToldOutcomes told;
  vfs.set_busy(true);
  must(f.consumer->commit_async(position_at(1), told.callback()));
  must(f.consumer->commit_async(position_at(2), told.callback()));
  // It has its place in the order, and has not called back.
  CHECK(must(f.consumer->committed(t0))->offset == 2);
  CHECK(must(f.consumer->poll(0ms)).count() == 2);
  CHECK(told.text.empty());
  vfs.set_busy(false);
  // The engine syncs by itself.
  CHECK(comes_true([&] {
    static_cast<void>(must(f.consumer->poll(0ms)));
    return told.text == "1 2 ";
  }));
  CHECK(f.engine.metrics().offset_commits == 2);
}

TEST_CASE("commit_sync and close wait for all earlier ones, and run their callbacks in their order") {
  AsyncFixture f(Acks::all);
  ToldOutcomes told;
  for (Offset offset : {3, 1, 2}) must(f.consumer->commit_async(position_at(offset), told.callback()));
  must(f.consumer->commit_sync(position_at(4)));
  CHECK(told.text == "3 1 2 ");
  CHECK(must(f.consumer->committed(t0))->offset == 4);
  must(f.consumer->commit_async(position_at(5), told.callback()));
  must(f.consumer->commit_async(position_at(0), told.callback()));
  f.consumer->close();
  CHECK(told.text == "3 1 2 5 0 ");
  CHECK(must(f.make(Acks::all).committed(t0))->offset == 0);
}

TEST_CASE("without an argument the positions are committed, with records those behind them, also of none") {
  AsyncFixture f(Acks::leader);
  ToldOutcomes told;
  const auto first = must(f.consumer->poll(0ms));
  static_cast<void>(must(f.consumer->poll(0ms)));
  must(f.consumer->commit_async(first, told.callback()));
  CHECK(must(f.consumer->committed(t0))->offset == 2);
  must(f.consumer->commit_async(told.callback()));
  CHECK(must(f.consumer->committed(t0))->offset == 4);
  bool is_told = false;
  must(f.consumer->commit_async(TopicPartitionOffsets{},
                                [&](const TopicPartitionOffsets& offsets, const Result<>& outcome) {
                                  is_told = offsets.empty() && outcome.ok();
                                }));
  must(f.consumer->commit_sync(TopicPartitionOffsets{}));
  CHECK(told.text == "2 4 ");
  CHECK(is_told);
}

TEST_CASE("a commit that is refused calls nobody back, and stores nothing") {
  GroupFixture f;
  Consumer one = f.member();
  f.send(4);
  CHECK(poll(one) == 4);
  int calls = 0;
  const OffsetCommitCallback count = [&](const TopicPartitionOffsets&, const Result<>&) { ++calls; };
  CHECK(one.commit_async({{t0, {.offset = 9}}}, count).error().code() == Errc::invalid_argument);
  CHECK(one.commit_async({{{"t", 7}, {.offset = 0}}}, count).error().code() == Errc::unknown_member_id);
  Consumer other = must(f.engine.consumer({.group_id = "g"}));
  CHECK(other.commit_async(position_at(1), count).error().code() == Errc::unknown_member_id);
  must(f.engine.admin().remove_group_members("g"));
  CHECK(one.commit_async(count).error().code() == Errc::unknown_member_id);
  Consumer groupless = must(f.engine.consumer());
  CHECK(groupless.commit_async(position_at(1), count).error().code() == Errc::invalid_state);
  CHECK(poll(one) == 4);
  one.close();
  CHECK(calls == 0);
  CHECK_FALSE(must(f.consumer().committed(t0)));
}

TEST_CASE("a callback commits; it may not poll, and the callback of what it commits comes in a later call") {
  AsyncFixture f(Acks::leader);
  ToldOutcomes told;
  std::vector<Errc> refused;
  must(f.consumer->commit_async(position_at(1), [&](const TopicPartitionOffsets&, const Result<>&) {
    refused.push_back(code_of(f.consumer->poll(0ms)));
    refused.push_back(code_of(f.consumer->assign({t0})));
    must(f.consumer->commit_async(position_at(2), told.callback()));
    must(f.consumer->commit_sync(position_at(3)));
    refused.push_back(code_of(f.consumer->poll(0ms)));
  }));
  static_cast<void>(must(f.consumer->poll(0ms)));
  CHECK(refused == std::vector{Errc::invalid_state, Errc::invalid_state, Errc::invalid_state});
  CHECK(told.text.empty());
  CHECK(must(f.consumer->committed(t0))->offset == 3);
  static_cast<void>(must(f.consumer->poll(0ms)));
  CHECK(told.text == "2 ");
}

TEST_CASE("a rebalance listener stays inside when a commit of its own has run a callback") {
  GroupFixture f;
  ToldOutcomes told;
  std::vector<Errc> inside;
  Consumer one = f.consumer();
  Consumer* const self = &one;
  must(one.subscribe({"t"}, {.on_revoked = [&](const Partitions&) {
                       must(self->commit_async(position_at(1), told.callback()));
                       must(self->commit_sync());
                       inside.push_back(code_of(self->poll(0ms)));
                       CHECK(self->assignment().size() == 4);
                     }}));
  f.send(4);
  CHECK(poll(one) == 4);
  one.close();
  CHECK(told.text == "1 ");
  CHECK(inside == std::vector{Errc::invalid_state});
}

TEST_CASE("a callback that throws is the error of the call that it runs in, behind the commit") {
  AsyncFixture f(Acks::leader);
  ToldOutcomes told;
  const OffsetCommitCallback throws = [](const TopicPartitionOffsets&, const Result<>&) {
    throw std::runtime_error("no");
  };
  must(f.consumer->commit_async(position_at(1), throws));
  must(f.consumer->commit_async(position_at(2), told.callback()));
  const auto polled = f.consumer->poll(0ms);
  REQUIRE_FALSE(polled);
  CHECK(polled.error().message().find("callback of a commit of group g") != std::string::npos);
  CHECK(told.text == "2 ");
  // The position is as before.
  CHECK(must(f.consumer->poll(0ms)).count() == 2);
  must(f.consumer->commit_async(position_at(1), throws));
  CHECK_FALSE(f.consumer->commit_sync(position_at(3)));
  CHECK(must(f.consumer->committed(t0))->offset == 3);
}

TEST_CASE("with as many commits under way as may be, one more waits for the oldest; a callback is refused") {
  AsyncFixture f(Acks::leader);
  constexpr auto most = consumer::AsyncCommits::commits_max;
  std::size_t calls = 0;
  const OffsetCommitCallback count = [&](const TopicPartitionOffsets&, const Result<>&) { ++calls; };
  std::vector<Errc> inside;
  must(f.consumer->commit_async(position_at(1), [&](const TopicPartitionOffsets&, const Result<>&) {
    // One is gone, which makes room for one.
    inside.push_back(code_of(f.consumer->commit_async(position_at(3), count)));
    inside.push_back(code_of(f.consumer->commit_async(position_at(4), count)));
  }));
  for (std::size_t i = 1; i < most; ++i) must(f.consumer->commit_async(position_at(2), count));
  CHECK(inside.empty());
  must(f.consumer->commit_async(position_at(5), count));
  CHECK(inside == std::vector{Errc{}, Errc::queue_full});
  CHECK(calls == 0);
  must(f.consumer->commit_sync(position_at(1)));
  CHECK(calls == most + 1);
}

TEST_CASE("a callback that close runs may commit with commit_sync alone; so a close comes to an end") {
  AsyncFixture f(Acks::leader);
  std::vector<Errc> inside;
  must(f.consumer->commit_async(position_at(1), [&](const TopicPartitionOffsets&, const Result<>&) {
    inside.push_back(code_of(f.consumer->commit_async(position_at(2))));
    inside.push_back(code_of(f.consumer->commit_sync(position_at(3))));
  }));
  f.consumer->close();
  CHECK(inside == std::vector{Errc::closed, Errc{}});
  CHECK(must(f.make(Acks::leader).committed(t0))->offset == 3);
}

TEST_CASE("a sync that fails is told to the callback; without one, to the log sink") {
  FaultVfs vfs;
  std::mutex mutex;
  std::string log;
  AsyncFixture f(Acks::all, &vfs, {.log_sink = [&](LogLevel, std::string_view line) {
                   const std::lock_guard lock(mutex);
                   log += line;
                 }});
  f.keep_quiet();
  ToldOutcomes told;
  vfs.arm({.calls = Calls::syncs, .error = EIO, .for_ever = true});
  must(f.consumer->commit_async(position_at(1), told.callback()));
  const auto second = f.consumer->commit_async(position_at(2));
  // Unless the sync of the first has failed by then: it is refused at once.
  CHECK((second.ok() || second.error().code() == Errc::storage_failed));
  CHECK(code_of(f.consumer->commit_sync(position_at(3))) == Errc::storage_failed);
  CHECK(told.text == "1! ");
  const std::lock_guard lock(mutex);
  CHECK((log.find("an asynchronous commit of group g has no callback") != std::string::npos) == second.ok());
}

TEST_CASE("a commit whose consumer or engine is gone is safe all the same; its callback does not run") {
  AsyncFixture f(Acks::all);
  ToldOutcomes told;
  must(f.consumer->commit_async(position_at(2), told.callback()));
  f.consumer.reset();
  must(f.engine.close());
  CHECK(told.text.empty());
  const Engine again = open_engine(f.directory / "data");
  CHECK(must(must(again.consumer({.group_id = "g"})).committed(t0))->offset == 2);
}

TEST_CASE("an engine that was closed: a close of the consumer tells of commits that came before") {
  AsyncFixture f(Acks::all);
  ToldOutcomes told;
  must(f.consumer->commit_async(position_at(2), told.callback()));
  must(f.engine.close());
  CHECK(code_of(f.consumer->commit_async(position_at(3), told.callback())) == Errc::closed);
  f.consumer->close();
  CHECK(told.text == "2 ");
}

}  // namespace seriatim::test
