// The sparse offset index, Kafka's .index: entries (last offset of a batch - base offset, file position of
// that batch).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <seriatim/types.hpp>

#include "segment/index/index_file.hpp"

namespace seriatim::segment {

/// A batch's last offset and where the batch starts.
struct OffsetPosition {
  Offset last_offset = 0;
  std::uint64_t position = 0;
  bool operator==(const OffsetPosition&) const = default;
};

class OffsetIndex {
 public:
  static constexpr std::size_t entry_bytes = 8;

  OffsetIndex(Offset base_offset, std::unique_ptr<IndexFile> file) noexcept
      : base_offset_(base_offset), file_(std::move(file)) {}

  /// Notes that the batch at `position` ends with `last_offset`, for no reader to see before `commit`. Both
  /// above those of the entry before (asserted).
  Result<> stage(Offset last_offset, std::uint64_t position);
  void commit() noexcept { file_->commit(); }
  /// Stages and commits.
  Result<> append(Offset last_offset, std::uint64_t position);
  /// The greatest entry with last_offset <= `target`; without one, (base offset, position 0): start scanning
  /// there.
  /// Cost: a binary search in the map. Any thread.
  OffsetPosition floor(Offset target) const noexcept;
  /// The greatest entry with position <= `position`; as `floor`.
  OffsetPosition floor_position(std::uint64_t position) const noexcept;
  std::optional<OffsetPosition> last() const noexcept;
  /// The entry `index` < count().
  OffsetPosition at(std::uint64_t index) const noexcept;
  std::uint64_t count() const noexcept { return file_->count(); }
  bool is_full() const noexcept { return file_->is_full(); }
  /// Number of leading entries that are strictly increasing in both columns and lie below `end_position`.
  std::uint64_t sane_prefix(std::uint64_t end_position) const noexcept;
  IndexFile& file() noexcept { return *file_; }
  const IndexFile& file() const noexcept { return *file_; }

 private:
  Offset base_offset_;
  std::unique_ptr<IndexFile> file_;
};

}  // namespace seriatim::segment
