#include "partition/read/fetch_slice.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "partition/read/fetch_cursor.hpp"
#include "partition/segment_retry.hpp"

namespace seriatim::partition {
namespace {

// Where the batches of a slice end: behind the last one that fits, or behind the first one.
class EndFinder {
 public:
  EndFinder(const FetchedBatch& first, Offset bound, std::size_t bytes_max)
      : pin_(**first.pin),
        end_((*first.segment)->end_position()),
        limit_(std::min(end_, first.position + bytes_max)),
        bound_(bound),
        position_(first.position + first.bytes.size()),
        next_offset_(first.header.next_offset()) {}

  void find() {
    jump();
    while (fits_next()) {
      const auto header = format::read_batch_header(pin_.log.data() + position_);
      position_ += header.size_bytes();
      next_offset_ = header.next_offset();
    }
  }
  std::uint64_t position() const noexcept { return position_; }
  Offset next_offset() const noexcept { return next_offset_; }

 private:
  // To the last index entry at or below the limit, if it points at a batch that ends as it says (an index has
  // no checksum).
  void jump() {
    const auto entry = pin_.offset_index.floor_position(limit_);
    if (entry.position <= position_ || entry.position >= end_) return;
    if (check_at(entry.position) != format::BatchFault::none) return;
    const auto header = format::read_batch_header(pin_.log.data() + entry.position);
    if (header.last_offset() != entry.last_offset || header.base_offset > bound_) return;
    position_ = entry.position;
    next_offset_ = header.base_offset;
  }

  format::BatchFault check_at(std::uint64_t position) const {
    const base::ByteSpan rest{pin_.log.data() + position, static_cast<std::size_t>(end_ - position)};
    return format::check_structure(rest, next_offset_);
  }

  bool fits_next() const {
    if (position_ >= limit_ || check_at(position_) != format::BatchFault::none) return false;
    const auto header = format::read_batch_header(pin_.log.data() + position_);
    return header.base_offset < bound_ && position_ + header.size_bytes() <= limit_;
  }

  const segment::SegmentMaps& pin_;
  std::uint64_t end_;
  std::uint64_t limit_;
  Offset bound_;
  std::uint64_t position_;
  Offset next_offset_;
};

// Compaction gives the name of a segment to another file: the descriptor must be of the one that is mapped.
Result<> check_same_file(const FetchedBatch& first, os::File& file) {
  std::array<std::byte, format::header_bytes> header;
  auto read = file.read_at(header, first.position);
  if (!read) return read.error();
  if (*read == header.size() && std::equal(header.begin(), header.end(), first.bytes.begin())) return {};
  return Error(Errc::not_found, file.path() + " was replaced by a compacted file; look the offset up again");
}

Result<FetchSlice> fetch_once(const PartitionLogPtr& log, Offset from, std::size_t bytes_max) {
  const Offset bound = log->high_watermark();
  FetchSlice slice{.first_offset = from, .next_offset = from};
  if (from == bound) return slice;
  FetchCursor cursor(log);
  if (auto found = cursor.seek(from); !found) return found.error();
  FetchedBatch first;
  auto step = cursor.peek(bound, false, first);
  if (!step) return step.error();
  if (*step == FetchCursor::Step::end) return slice;
  auto file = (*first.segment)->log_file();
  if (!file) return file.error();
  if (log->may_have_gaps()) {
    if (auto same = check_same_file(first, **file); !same) return same.error();
  }
  EndFinder end(first, bound, bytes_max);
  end.find();
  slice.file = *std::move(file);
  slice.pin = *first.pin;
  slice.position = first.position;
  slice.size_bytes = static_cast<std::size_t>(end.position() - first.position);
  slice.first_offset = first.header.base_offset;
  slice.next_offset = end.next_offset();
  return slice;
}

}  // namespace

Result<FetchSlice> fetch_slice(const PartitionLogPtr& log, Offset from, std::size_t bytes_max) {
  return retry_if_replaced(*log, [&] { return fetch_once(log, from, bytes_max); });
}

}  // namespace seriatim::partition
