// The window of a deduplicator and its counters, for any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include <seriatim/flow/deduplicator.hpp>

#include "flow/dedupe/dedupe_window.hpp"

namespace seriatim::flow {

/// An id in the hand of a transaction.
struct DedupeHeld {
  bool is_claimed = false;               ///< Else it is not in hand yet.
  std::optional<DedupeMark> before{};    ///< Its row, if that has left the window or is erased.
  std::optional<DedupeMark> recorded{};  ///< By this transaction.
  bool is_erased = false;                ///< By this transaction.
};

/// Threads: any.
class DedupeLedger {
 public:
  explicit DedupeLedger(const DedupeLimits& limits) : window_(limits) {}

  /// An id is stored already.
  void load(const DedupeMark& mark);
  DedupeMark next(Timestamp now);
  bool holds(const DedupeMark& mark, Timestamp now) const;
  /// A transaction was committed that had this in hand.
  void enter(const DedupeHeld& held) noexcept;
  /// How often a row was written over or erased: while it stays the same, every row that is known is there.
  std::uint64_t rewrites() const;

  void count_duplicate();
  void count_refusal();
  void count_swept(std::uint64_t ids);
  DedupeCounts counts() const;
  /// Ids that are stored, and have left the window for certain.
  std::uint64_t outside(Timestamp now) const;

 private:
  mutable std::mutex mutex_;
  DedupeWindow window_;
  DedupeCounts counts_{};
  std::uint64_t rewrites_ = 0;
};

}  // namespace seriatim::flow
