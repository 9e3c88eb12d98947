// The time index, Kafka's .timeindex: entries (largest timestamp so far in the segment, last offset of the
// earliest batch that reached it - base offset).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <seriatim/types.hpp>

#include "segment/index/index_file.hpp"

namespace seriatim::segment {

struct TimestampOffset {
  std::int64_t timestamp_ms = -1;
  Offset offset = 0;
  bool operator==(const TimestampOffset&) const = default;
};

class TimeIndex {
 public:
  static constexpr std::size_t entry_bytes = 12;

  TimeIndex(Offset base_offset, std::unique_ptr<IndexFile> file) noexcept
      : base_offset_(base_offset), file_(std::move(file)) {}

  /// Writes an entry for no reader to see before `commit`, unless its timestamp is not above the last one's
  /// (Kafka's rule).
  /// @return whether there is something to commit.
  Result<bool> stage(TimestampOffset entry);
  void commit() noexcept { file_->commit(); }
  /// The greatest entry with timestamp <= `timestamp_ms`; without one, (-1, base offset). Any thread.
  TimestampOffset floor(std::int64_t timestamp_ms) const noexcept;
  /// Number of leading entries with timestamp < `timestamp_ms`. Any thread.
  std::uint64_t count_below(std::int64_t timestamp_ms) const noexcept;
  std::optional<TimestampOffset> last() const noexcept;
  /// The entry `index` < count().
  TimestampOffset at(std::uint64_t index) const noexcept;
  std::uint64_t count() const noexcept { return file_->count(); }
  /// One slot is kept in reserve so that the entry at roll time always fits.
  bool is_full() const noexcept { return file_->is_full(1); }
  /// Number of leading entries whose timestamps increase and whose offsets never go back.
  std::uint64_t sane_prefix() const noexcept;
  IndexFile& file() noexcept { return *file_; }
  const IndexFile& file() const noexcept { return *file_; }

 private:
  Offset base_offset_;
  std::unique_ptr<IndexFile> file_;
};

}  // namespace seriatim::segment
