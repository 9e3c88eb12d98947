// The limits of a window, and how many ids lie within and outside. Ids are counted in buckets, by the order
// in which they were recorded: what leaves the window by count leaves it by whole buckets.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>

#include <seriatim/types.hpp>

#include "flow/dedupe/dedupe_codec.hpp"

namespace seriatim::flow {

/// Threads: one at a time.
class DedupeWindow {
 public:
  explicit DedupeWindow(const DedupeLimits& limits);

  /// The mark of an id that is recorded now.
  DedupeMark next(Timestamp now);
  /// An id was stored, or is found when the window is opened.
  void add(const DedupeMark& mark);
  /// An id was erased, or its row overwritten.
  void remove(const DedupeMark& mark);

  /// Whether an id is remembered.
  bool holds(const DedupeMark& mark, Timestamp now) const;
  std::uint64_t stored() const noexcept { return stored_; }
  /// The number of stored ids that have left the window for certain.
  std::uint64_t outside(Timestamp now) const;

 private:
  struct Bucket {
    std::uint64_t count = 0;
    Timestamp newest = Timestamp::min();
  };

  bool is_expired(Timestamp time, Timestamp now) const;
  /// Lets go of buckets without which the count is still reached.
  void trim();

  DedupeLimits limits_;
  std::uint64_t bucket_count_max_;
  std::chrono::milliseconds bucket_time_max_;
  std::map<std::uint64_t, Bucket> buckets_{};
  std::uint64_t stored_ = 0;
  std::uint64_t oldest_kept_ = 0;  ///< The first bucket that is within the window by count.
  std::uint64_t kept_ = 0;         ///< Ids in it and later ones.
  std::uint64_t current_ = 0;      ///< The bucket of the next id.
  std::uint64_t current_count_ = 0;
  Timestamp current_began_{};
};

}  // namespace seriatim::flow
