#include "partition/visibility_gate.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "partition/log_offsets.hpp"

namespace seriatim::test {
namespace {

using partition::LogOffsets;
using partition::VisibilityGate;

template <class Move>
void change(VisibilityGate& gate, Move&& move) {
  const base::MutexLock lock(gate.mutex);
  gate.change(move);
}

TEST_CASE("a look that nothing disturbs takes once") {
  VisibilityGate gate;
  int takes = 0;
  gate.look([&] { ++takes; });
  CHECK(takes == 1);
  change(gate, [] {});
  gate.look([&] { ++takes; });
  CHECK(takes == 2);
}

TEST_CASE("INV-8: a look during which something changed takes again") {
  VisibilityGate gate;
  int takes = 0;
  int value = 0;
  int seen = -1;
  gate.look([&] {
    seen = value;
    if (++takes == 1) change(gate, [&] { value = 1; });
  });
  CHECK(takes == 2);
  CHECK(seen == 1);
}

TEST_CASE("INV-8: lookers see the last stable offsets of several partitions move together") {
  constexpr int transactions = 3'000;
  constexpr std::size_t partition_count = 4;
  VisibilityGate gate;
  std::array<LogOffsets, partition_count> partitions;
  for (auto& offsets : partitions) {
    offsets.held_back().set(0);
    offsets.publish_log_end(transactions + 1);
  }
  std::atomic<bool> done{false};
  std::vector<std::thread> lookers;
  std::atomic<int> torn{0};
  for (int i = 0; i < 2; ++i) {
    lookers.emplace_back([&] {
      Offset last = 0;
      while (!done.load(std::memory_order_acquire)) {
        std::array<Offset, partition_count> seen{};
        gate.look([&] {
          for (std::size_t p = 0; p < partition_count; ++p) seen[p] = partitions[p].last_stable();
        });
        for (const Offset offset : seen) {
          if (offset != seen.front()) torn.fetch_add(1);
        }
        if (seen.front() < last) torn.fetch_add(1);
        last = seen.front();
      }
    });
  }
  std::atomic<Offset> next{0};
  std::vector<std::thread> committers;
  for (int i = 0; i < 2; ++i) {
    committers.emplace_back([&] {
      for (bool more = true; more;) {
        change(gate, [&] {
          const Offset to = next.fetch_add(1) + 1;
          more = to < transactions;
          for (auto& offsets : partitions) offsets.held_back().set(to);
        });
      }
    });
  }
  for (auto& thread : committers) thread.join();
  done.store(true, std::memory_order_release);
  for (auto& thread : lookers) thread.join();
  CHECK(torn.load() == 0);
  CHECK(partitions.front().last_stable() >= transactions);
}

}  // namespace
}  // namespace seriatim::test
