// Members of a group in threads of their own, that come, go, stall and are thrown out, in random order.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>

#include <seriatim/seriatim.hpp>

#include "support/must.hpp"
#include "support/random.hpp"
#include "support/temp_dir.hpp"

using namespace seriatim;
using namespace std::chrono_literals;
using test::must;

namespace {

constexpr int schedule_partitions = 6;
constexpr int schedule_records = 12'000;
constexpr int schedule_members = 4;

/// The parts that all threads share.
struct Play {
  Engine engine;
  std::array<std::atomic<int>, schedule_records> delivered{};
  std::array<std::atomic<Offset>, schedule_partitions> committed{};
  std::atomic<int> left{schedule_records};
  std::atomic<int> wrong_starts{0};
  std::atomic<int> wrong_answers{0};

  bool is_over() const { return left.load() == 0; }
  void deliver(const RecordView& record) {
    const auto number = static_cast<std::size_t>(std::stoi(std::string(record.value().text())));
    if (delivered[number].fetch_add(1) == 0) left.fetch_sub(1);
  }
  void note_commit(const TopicPartitionOffsets& offsets) {
    for (const auto& [at, position] : offsets) {
      auto& highest = committed[static_cast<std::size_t>(at.partition)];
      for (Offset seen = highest;
           seen < position.offset && !highest.compare_exchange_weak(seen, position.offset);) {
      }
    }
  }
};

/// One life of a member: from its subscription to its close.
class Life {
 public:
  Life(Play& play, test::Random& random, Assignor assignor) : play_(play), random_(random) {
    ConsumerOptions options{.group_id = "g", .max_poll_records = 7, .commit_acks = Acks::leader};
    options.assignor = assignor;
    options.max_poll_interval = random.one_in(2) ? 1ms : 10'000ms;
    consumer_ = std::make_unique<Consumer>(must(play.engine.consumer(std::move(options))));
    RebalanceListener listener;
    listener.on_assigned = [this](const std::vector<TopicPartition>& added) { check_starts(added); };
    must(consumer_->subscribe({"t"}, std::move(listener)));
  }
  void run() {
    for (auto polls = random_.between(1, 60); polls > 0 && !play_.is_over(); --polls) {
      const auto got = must(consumer_->poll(std::chrono::milliseconds(random_.between(0, 2))));
      for (const RecordView& record : got) play_.deliver(record);
      if (random_.one_in(40)) std::this_thread::sleep_for(120ms);  // the watchdog looks each 100 ms
      if (random_.one_in(3)) continue;
      const auto stored = consumer_->commit_sync(got);
      if (stored) play_.note_commit(got.next_offsets());
      if (!stored && stored.error().code() != Errc::unknown_member_id) play_.wrong_answers.fetch_add(1);
    }
    if (random_.one_in(2)) consumer_->close();
  }

 private:
  // A new owner goes on behind all that was committed before the partition came.
  void check_starts(const std::vector<TopicPartition>& added) {
    for (const TopicPartition& at : added) {
      const Offset committed = play_.committed[static_cast<std::size_t>(at.partition)];
      if (must(consumer_->position(at)) < committed) play_.wrong_starts.fetch_add(1);
    }
  }

  Play& play_;
  test::Random& random_;
  std::unique_ptr<Consumer> consumer_;
};

}  // namespace

TEST_CASE(
    "at least once: members that come, go, stall and are thrown out miss no record, and none goes back") {
  test::Random seeds("group schedule");
  for (const Assignor assignor : {Assignor::uniform, Assignor::cooperative_sticky}) {
    const test::TempDir directory;
    Play play{must(Engine::open(directory.path()))};
    must(play.engine.admin().create_topic({.name = "t", .partition_count = schedule_partitions}));
    std::vector<std::thread> threads;
    for (int i = 0; i < schedule_members; ++i) {
      threads.emplace_back([&play, seed = seeds.next(), assignor] {
        test::Random random(seed);
        while (!play.is_over()) Life(play, random, assignor).run();
      });
    }
    auto producer = must(play.engine.producer({.acks = Acks::leader}));
    for (int i = 0; i < schedule_records; ++i) {
      must(producer.send_sync(
          {.topic = "t", .value = std::to_string(i), .partition = i % schedule_partitions}));
      if (i % 500 != 0) continue;
      const auto removed = play.engine.admin().remove_group_members("g");
      if (!removed) REQUIRE(removed.error().code() == Errc::group_id_not_found);
    }
    for (auto& thread : threads) thread.join();
    CHECK(play.left.load() == 0);
    CHECK(play.wrong_starts.load() == 0);
    CHECK(play.wrong_answers.load() == 0);
  }
}
