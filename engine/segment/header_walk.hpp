// The batches of a mapped segment by their headers alone: for whoever wants to know what is there, and leaves
// checksums to those who read it.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/batch_header.hpp"
#include "segment/segment.hpp"

namespace seriatim::segment {

/// One thread at a time.
/// Cost: one page per batch.
class HeaderWalk {
 public:
  /// Walks from the first batch that may reach beyond `from`, to what is published now.
  /// @param maps  of `segment`, pinned for as long as the walk and what it gives.
  HeaderWalk(const Segment& segment, const SegmentMaps& maps, Offset from);

  struct Item {
    format::BatchHeader header{};
    base::ByteSpan batch{};
  };
  /// Nothing: the end. Damage is passed over, to the next batch that the index knows.
  std::optional<Item> next();
  /// Whether something was, since the last call of this.
  bool take_damage() noexcept { return std::exchange(met_damage_, false); }

 private:
  std::optional<format::BatchHeader> header_at(std::uint64_t position) const;

  const SegmentMaps& maps_;
  const Offset base_offset_;
  const std::uint64_t end_;
  std::uint64_t position_ = 0;
  bool met_damage_ = false;
};

}  // namespace seriatim::segment
