// Durable commits, measured in turn: a shared disk is fast in one second and slow in the next, so that two
// figures can only be compared if they were taken side by side. Every contestant commits a little, then the
// next one, round after round.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace seriatim::bench {

/// The committer that is measured. Any number of threads commit at the same time.
class Committer {
 public:
  virtual ~Committer() = default;
  Committer() = default;
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;
  /// Returns when what it wrote is on stable storage.
  /// @param thread  from 0.
  virtual void commit(int thread) = 0;
  /// Syncs so far; 0: not known.
  virtual std::uint64_t syncs() const { return 0; }
};

/// @param directory  of its own, empty.
/// @param threads  that will commit.
using CommitterFactory =
    std::function<std::unique_ptr<Committer>(const std::filesystem::path& directory, int threads)>;

/// Enters a contestant in the benchmarks "in_turn/THREADS"; those with fewer threads than `threads_min` or
/// more than `threads_max` leave it out. For the initialisers of globals.
bool enter_committer(std::string name, CommitterFactory factory, int threads_min = 1, int threads_max = 64);

}  // namespace seriatim::bench
