// The process of delayed_backlog_test.py: many pending messages with due times in random order.
//
//   delayed_backlog DIR fill N SEED    schedules N messages that are due already, in random order
//   delayed_backlog DIR deliver        delivers all of them
//   delayed_backlog DIR check N SEED   each is there once, in due order
//
// The first two print the most bytes of heap that were in use at a time, and how long the open took.
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <seriatim/seriatim.hpp>

#include "support/random.hpp"

namespace {

using namespace seriatim;
using namespace std::chrono_literals;

constexpr std::int64_t due_from = 1'600'000'000'000;
constexpr std::int64_t due_range_ms = std::int64_t{365} * 86'400'000;

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "delayed_backlog: %s\n", what.c_str());
  std::_Exit(1);
}

template <class T>
T wanted(Result<T> result) {
  if (!result) die(result.error().message());
  return *std::move(result);
}

/// Looks at the heap as long as it lives.
class HeapWatch {
 public:
  ~HeapWatch() {
    is_over_ = true;
    thread_.join();
    std::printf("heap %zu\n", most_);
  }
  HeapWatch() = default;
  HeapWatch(const HeapWatch&) = delete;
  HeapWatch& operator=(const HeapWatch&) = delete;

 private:
  void run() {
    while (!is_over_) {
      const auto info = ::mallinfo2();
      most_ = std::max(most_, info.uordblks + info.hblkhd);
      std::this_thread::sleep_for(2ms);
    }
  }
  std::atomic<bool> is_over_{false};
  std::size_t most_ = 0;
  std::thread thread_{[this] { run(); }};
};

std::vector<std::int64_t> dues(std::size_t count, std::uint64_t seed) {
  seriatim::test::Random random(seed);
  std::vector<std::int64_t> all(count);
  for (std::int64_t& due : all) due = due_from + random.between(0, due_range_ms);
  return all;
}

std::string value_of(std::int64_t due, std::size_t number) {
  std::string value = std::to_string(due);
  return value.append(" ").append(std::to_string(number)).append(64, '.');
}

DelayedMessages open_timed(const Engine& engine) {
  const auto began = std::chrono::steady_clock::now();
  DelayedMessages delayed = wanted(
      DelayedMessages::open(engine, {.name = "d", .acks = Acks::leader, .delivers_in_background = false}));
  const auto took = std::chrono::steady_clock::now() - began;
  std::printf("open_us %lld\n",
              static_cast<long long>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
  std::puts("ready");
  std::fflush(stdout);
  return delayed;
}

void fill(const Engine& engine, std::size_t count, std::uint64_t seed) {
  wanted(engine.admin().create_topic({.name = "t"}));
  DelayedMessages delayed = open_timed(engine);
  const auto all = dues(count, seed);
  const HeapWatch heap;
  constexpr std::size_t at_once = 100;
  for (std::size_t first = 0; first < count; first += at_once) {
    const std::size_t end = std::min(first + at_once, count);
    std::vector<std::string> values;
    for (std::size_t i = first; i < end; ++i) values.push_back(value_of(all[i], i));
    std::vector<DelayedRecord> records;
    for (std::size_t i = first; i < end; ++i) {
      records.push_back({.record = {.topic = "t", .value = values[i - first]},
                         .due = Timestamp{std::chrono::milliseconds{all[i]}}});
    }
    wanted(delayed.schedule(records));
  }
}

void check(const Engine& engine, std::size_t count, std::uint64_t seed) {
  const auto all = dues(count, seed);
  std::vector<std::pair<std::int64_t, std::size_t>> expected;
  for (std::size_t i = 0; i < count; ++i) expected.emplace_back(all[i], i);
  std::sort(expected.begin(), expected.end());
  Consumer consumer = wanted(engine.consumer());
  if (!consumer.assign({{"t", 0}})) die("cannot read the topic");
  std::size_t next = 0;
  for (;;) {
    const auto records = wanted(consumer.poll(0ms));
    if (records.empty()) break;
    for (const RecordView& record : records) {
      if (next == count || record.value().text() != value_of(expected[next].first, expected[next].second))
        die("record " + std::to_string(next) + " is " + std::string(record.value().text()));
      ++next;
    }
  }
  if (next != count) die(std::to_string(next) + " of " + std::to_string(count) + " messages were delivered");
  if (!wanted(engine.admin().list_states()).empty()) die("rows are left behind");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 2 ? argv[2] : "";
  if (argc != (mode == "deliver" ? 3 : 5)) die("usage: delayed_backlog DIR fill N SEED|deliver|check N SEED");
  {
    // A checkpoint has each page of the catalog in memory that it changes: with due times in random order
    // nearly one for each row. A small journal makes for small checkpoints.
    const Engine engine =
        wanted(Engine::open(argv[1], {.journal_max_bytes = 4U << 20U, .journal_file_bytes = 1U << 20U}));
    if (mode == "fill") {
      fill(engine, std::stoull(argv[3]), std::stoull(argv[4]));
    } else if (mode == "check") {
      check(engine, std::stoull(argv[3]), std::stoull(argv[4]));
    } else {
      DelayedMessages delayed = open_timed(engine);
      const HeapWatch heap;
      std::printf("delivered %llu\n", static_cast<unsigned long long>(wanted(delayed.deliver())));
    }
  }
  return 0;
}
