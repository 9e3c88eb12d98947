#include "commit_load.hpp"

#include <algorithm>
#include <thread>

namespace seriatim::bench {
namespace {

using Clock = std::chrono::steady_clock;

// The first commits prepare files; they are not what is measured.
constexpr int warm_up_commits = 100;

}  // namespace

std::vector<double> run_committers(int threads, int commits, const std::function<void(int thread)>& commit) {
  std::vector<std::vector<double>> latencies(static_cast<std::size_t>(threads));
  std::vector<std::thread> running;
  for (int thread = 0; thread < threads; ++thread) {
    auto& mine = latencies[static_cast<std::size_t>(thread)];
    mine.reserve(static_cast<std::size_t>(commits));
    running.emplace_back([&mine, &commit, commits, thread] {
      for (int i = 0; i < commits; ++i) {
        const auto start = Clock::now();
        commit(thread);
        mine.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
      }
    });
  }
  for (auto& thread : running) thread.join();
  std::vector<double> all;
  for (const auto& mine : latencies) all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end());
  return all;
}

void measure_commits(benchmark::State& state, const std::function<void(int thread)>& commit,
                     const std::function<std::uint64_t()>& syncs) {
  const int threads = static_cast<int>(state.range(0));
  const int commits = commits_each(threads);
  std::vector<double> latencies;
  std::uint64_t synced = 0;
  for (auto _ : state) {
    for (int i = 0; i < warm_up_commits; ++i) commit(i % threads);
    const std::uint64_t before = syncs ? syncs() : 0;
    const auto start = Clock::now();
    latencies = run_committers(threads, commits, commit);
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - start).count());
    if (syncs) synced += syncs() - before;
  }
  state.SetItemsProcessed(state.iterations() * threads * commits);
  state.counters["p50_us"] = latencies[latencies.size() / 2];
  state.counters["p99_us"] = latencies[latencies.size() * 99 / 100];
  if (synced > 0) {
    state.counters["commits_per_sync"] =
        static_cast<double>(state.items_processed()) / static_cast<double>(synced);
  }
}

}  // namespace seriatim::bench
