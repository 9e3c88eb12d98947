#include "commit_load.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "bench_support.hpp"

namespace seriatim::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Commits of one contestant before the next has its turn, by all threads together, and how often all have it.
// Short beside the seconds for which the disk keeps its mood; long beside starting the threads.
constexpr int commits_alone = 50;
constexpr int commits_together = 640;
constexpr int rounds_alone = 600;
constexpr int rounds_together = 60;
constexpr int warm_up_rounds = 2;
// A committer that has taken that long sits out the rest: its speed is known by then.
constexpr double seconds_max = 10;

struct Entry {
  std::string name;
  CommitterFactory factory;
  int threads_min;
  int threads_max;
};

std::vector<Entry>& entries() {
  static std::vector<Entry> all;
  return all;
}

struct Contestant {
  std::string name;
  std::unique_ptr<Committer> committer;
  double seconds = 0;
  std::uint64_t commits = 0;
  std::uint64_t syncs_before = 0;
  std::vector<double> latencies_us{};
};

void commit_and_time(Committer& committer, int thread, int commits, std::vector<double>& latencies_us) {
  for (int i = 0; i < commits; ++i) {
    const auto start = Clock::now();
    committer.commit(thread);
    latencies_us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
}

void take_turn(Contestant& contestant, int threads) {
  const int commits = threads == 1 ? commits_alone : commits_together / threads;
  std::vector<std::vector<double>> latencies(static_cast<std::size_t>(threads));
  const auto start = Clock::now();
  if (threads == 1) {
    commit_and_time(*contestant.committer, 0, commits, latencies[0]);
  } else {
    std::vector<std::thread> running;
    for (int thread = 0; thread < threads; ++thread) {
      running.emplace_back([&, thread] {
        commit_and_time(*contestant.committer, thread, commits, latencies[static_cast<std::size_t>(thread)]);
      });
    }
    for (auto& thread : running) thread.join();
  }
  contestant.seconds += std::chrono::duration<double>(Clock::now() - start).count();
  for (const auto& mine : latencies) {
    contestant.commits += mine.size();
    contestant.latencies_us.insert(contestant.latencies_us.end(), mine.begin(), mine.end());
  }
}

void report(benchmark::State& state, Contestant& contestant) {
  auto& latencies = contestant.latencies_us;
  std::sort(latencies.begin(), latencies.end());
  const auto counter = [&](const char* what) -> benchmark::Counter& {
    return state.counters[contestant.name + ":" + what];
  };
  counter("per_second") = static_cast<double>(contestant.commits) / contestant.seconds;
  counter("p50_us") = latencies[latencies.size() / 2];
  counter("p99_us") = latencies[latencies.size() * 99 / 100];
  const std::uint64_t syncs = contestant.committer->syncs() - contestant.syncs_before;
  if (syncs > 0) counter("per_sync") = static_cast<double>(contestant.commits) / static_cast<double>(syncs);
}

void in_turn(benchmark::State& state) {
  const int threads = static_cast<int>(state.range(0));
  const ScratchDirectory scratch;
  std::vector<Contestant> contestants;
  for (const Entry& entry : entries()) {
    if (threads < entry.threads_min || threads > entry.threads_max) continue;
    const auto directory = scratch.path() / entry.name;
    std::filesystem::create_directory(directory);
    contestants.push_back({.name = entry.name, .committer = entry.factory(directory, threads)});
  }
  const int rounds = threads == 1 ? rounds_alone : rounds_together;
  for (auto _ : state) {
    for (int round = -warm_up_rounds; round < rounds; ++round) {
      for (Contestant& contestant : contestants) {
        if (round == 0) {
          const std::uint64_t syncs = contestant.committer->syncs();
          contestant = {
              .name = contestant.name, .committer = std::move(contestant.committer), .syncs_before = syncs};
        }
        if (contestant.seconds < seconds_max) take_turn(contestant, threads);
      }
    }
  }
  for (Contestant& contestant : contestants) report(state, contestant);
}
BENCHMARK(in_turn)->Arg(1)->Arg(8)->Arg(16)->Arg(64)->Iterations(1)->UseRealTime()->Unit(
    benchmark::kMillisecond);

}  // namespace

bool enter_committer(std::string name, CommitterFactory factory, int threads_min, int threads_max) {
  entries().push_back({std::move(name), std::move(factory), threads_min, threads_max});
  return true;
}

}  // namespace seriatim::bench
