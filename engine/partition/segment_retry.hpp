// Reading goes on while retention and compaction replace segments. A segment that was found in a list may
// be gone when it is opened.
#pragma once

#include "partition/partition_log.hpp"

namespace seriatim::partition {

/// Whether an error can mean that a file was deleted or exchanged between looking at the list of segments and
/// opening it.
inline bool may_be_stale(const Error& error) noexcept {
  return error.code() == Errc::not_found || error.code() == Errc::corrupt_record ||
         error.code() == Errc::corrupt_metadata;
}

/// A compaction exchanges one group of segments after the other, and a reader may meet each. Arbitrary.
inline constexpr int stale_reads_max = 8;

/// Calls `read`, which begins with a fresh look at the segments; again if it failed and the segments are
/// others now, or are being exchanged.
template <class Read>
auto retry_if_replaced(PartitionLog& log, Read&& read) -> decltype(read()) {
  for (int reads = 1;; ++reads) {
    const auto version = log.segments().version();
    auto result = read();
    if (result || !may_be_stale(result.error()) || reads == stale_reads_max) return result;
    if (auto reloaded = log.reload(); !reloaded) return result;  // The first error says more.
    if (log.segments().version() == version && !log.is_changing()) return result;
  }
}

}  // namespace seriatim::partition
