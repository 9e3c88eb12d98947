// Members that come and go while records fail, are retried and follow each other by key: all threads at once,
// for the thread sanitizer too.
#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/random.hpp"
#include "unit/flow/parallel/parallel_fixture.hpp"

namespace seriatim::test {
namespace {

using namespace std::chrono_literals;

constexpr PartitionId stress_partitions = 4;
constexpr int stress_records = 4'000;
constexpr int stress_keys = 60;

/// Counts each record, and sees that those of a key come one after the other.
class Witness {
 public:
  Result<> handle(const RecordView& record) {
    const std::string key = text_of(record.key());
    const int number = std::stoi(text_of(record.value()));
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(inside_[key], true)) ++overlaps_;
      if (number % 20 == 0 && !std::exchange(has_failed_[number], true)) {
        inside_[key] = false;
        return Error(Errc::timed_out, "the first time");
      }
    }
    std::this_thread::yield();
    const std::lock_guard lock(mutex_);
    if (const auto last = last_.find(key); last != last_.end() && last->second >= number) ++disorders_;
    last_[key] = number;
    inside_[key] = false;
    ++handled_;
    return {};
  }
  int handled() const { return handled_; }
  int overlaps() const { return overlaps_; }
  int disorders() const { return disorders_; }

 private:
  std::mutex mutex_;
  std::map<std::string, bool> inside_{};
  std::map<std::string, int> last_{};
  std::map<int, bool> has_failed_{};
  std::atomic<int> handled_{0};
  std::atomic<int> overlaps_{0};
  std::atomic<int> disorders_{0};
};

}  // namespace

TEST_CASE("members that come and go, with records that fail, handle each record once and each key in order") {
  Random random("parallel consumer, members that come and go");
  const ParallelFixture f(stress_partitions);
  Witness witness;
  ParallelConsumerOptions options = in_parallel(3);
  options.revoke_timeout = 1h;
  options.consumer.max_poll_records = 40;
  options.max_in_flight_records = 200;
  options.on_failure = [](const ParallelFailure&) { return OnFailure::retry; };
  const auto begin = [&] {
    auto member = std::make_unique<ParallelConsumer>(
        f.open(options, [&](const RecordView& record) { return witness.handle(record); }));
    must(member->start());
    return member;
  };
  std::thread appends([&] { f.send_many(stress_records, stress_keys, stress_partitions); });
  std::vector<std::unique_ptr<ParallelConsumer>> members;
  while (witness.handled() < stress_records) {
    if (members.size() < 3 && random.one_in(2)) {
      members.push_back(begin());
    } else if (members.size() > 1 || (!members.empty() && random.one_in(4))) {
      if (random.one_in(2)) {
        members.front()->stop();
      } else {
        members.front()->stop_now();
      }
      must(members.front()->wait());
      members.erase(members.begin());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random.between(0, 10)));
  }
  appends.join();
  members.clear();
  CHECK(witness.handled() == stress_records);
  CHECK(witness.overlaps() == 0);
  CHECK(witness.disorders() == 0);
  // Nothing is left, and nothing was forgotten.
  ParallelConsumer last = f.open(options, [&](const RecordView& record) { return witness.handle(record); });
  must(last.start());
  for (PartitionId i = 0; i < stress_partitions; ++i) {
    const Offset end = must(must(f.engine.consumer()).end_offset({"in", i}));
    CHECK(f.committed_offset(i) == end);
  }
}

}  // namespace seriatim::test
