// The batches of a mapped segment by their headers alone, for callers that want to know what is there and
// leave checksums to readers. A checksum is computed only where a header says something unusual: a batch with
// a wrong length hides those behind it.
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
/// Cost: one page per batch, and its checksum where offsets are missing behind it.
class HeaderWalk {
 public:
  /// Walks from the first batch that may reach beyond `from`, to what is published now.
  /// @param maps  of `segment`, pinned for as long as the walk and what it gives.
  HeaderWalk(const Segment& segment, const SegmentMaps& maps, Offset from);

  struct Item {
    format::BatchHeader header{};
    base::ByteSpan batch{};
  };
  /// Nothing: the end. Damage is passed over, to the next batch that is sound.
  std::optional<Item> next();
  /// Whether something was, since the last call of this.
  bool take_damage() noexcept { return std::exchange(met_damage_, false); }

 private:
  std::optional<format::BatchHeader> header_at(std::uint64_t position) const;
  std::optional<format::BatchHeader> next_header() const;
  bool last_given_is_sound() const noexcept;
  void pass_damage();

  const SegmentMaps& maps_;
  const std::uint64_t end_;
  std::uint64_t position_ = 0;
  Offset lowest_base_;  // of the batch at position_
  // The batch that was given last, which ends at position_: its length led there. The same as position_:
  // none.
  std::uint64_t given_position_ = 0;
  Offset given_lowest_base_;
  bool met_damage_ = false;
};

}  // namespace seriatim::segment
