// The load of every benchmark of durable commits: threads that each commit one thing after another, and what
// that took. One shape for the bare loops, the journal, the engine and the databases beside it.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

namespace seriatim::bench {

/// Commits of all threads together in one iteration.
constexpr int commits_alone = 4'000;
constexpr int commits_together = 16'000;
inline int commits_each(int threads) { return threads == 1 ? commits_alone : commits_together / threads; }

/// @param commit  called with the thread's number, `commits` times by each thread.
/// @return how long each call took, in us, sorted.
std::vector<double> run_committers(int threads, int commits, const std::function<void(int thread)>& commit);

/// Runs one iteration of `state.range(0)` threads, and reports rate, p50 and p99.
/// @param syncs  counts the syncs so far; batches_per_sync is reported if it is given.
void measure_commits(benchmark::State& state, const std::function<void(int thread)>& commit,
                     const std::function<std::uint64_t()>& syncs = {});

}  // namespace seriatim::bench
