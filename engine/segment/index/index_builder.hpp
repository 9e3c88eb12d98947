// Both indexes of a segment as Kafka's own recovery makes them from the log, in memory.
#pragma once

#include <cstdint>
#include <vector>

#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/batch_header.hpp"
#include "segment/index/time_index.hpp"

namespace seriatim::segment {

class IndexBuilder {
 public:
  IndexBuilder(Offset base_offset, std::uint64_t index_interval_bytes) noexcept
      : base_offset_(base_offset), interval_bytes_(index_interval_bytes), max_{-1, base_offset} {}

  /// Starts from entries that are known to be right: whole entries, the last offset entry's batch being the
  /// next one given to `note`.
  void start_from(base::ByteSpan offset_entries, base::ByteSpan time_entries);
  /// The next batch of the log. Its last offset is at most 2^31 - 1 above the base.
  void note(std::uint64_t position, const format::BatchHeader& header);
  /// Adds the entry with the largest timestamp that ends the time index of a sealed segment.
  void close();

  base::ByteSpan offset_entries() const noexcept { return offset_entries_; }
  base::ByteSpan time_entries() const noexcept { return time_entries_; }
  /// Largest timestamp, and the last offset of the earliest batch that has it.
  TimestampOffset max_timestamp() const noexcept { return max_; }

 private:
  void add_time_entry();

  Offset base_offset_;
  std::uint64_t interval_bytes_;
  TimestampOffset max_;
  std::uint64_t last_entry_position_ = 0;
  std::int64_t last_entry_timestamp_ms_ = -1;
  std::vector<std::byte> offset_entries_{};
  std::vector<std::byte> time_entries_{};
};

}  // namespace seriatim::segment
