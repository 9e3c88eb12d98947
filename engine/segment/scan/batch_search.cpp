#include "segment/scan/batch_search.hpp"

#include <algorithm>
#include <cstring>

#include "format/batch/batch_check.hpp"
#include "format/batch_layout.hpp"

namespace seriatim::segment {
namespace {

using format::BatchFault;
using format::BatchHeader;

// Read at once where every byte is tried. Arbitrary.
constexpr std::uint64_t chunk_bytes = 64 * 1024;
// Bad batches one behind the other whose lengths are followed. Arbitrary.
constexpr int hops_max = 1024;
// Of a batch whose length is mended; longer ones are found without. Arbitrary.
constexpr std::size_t mended_bytes_max = std::size_t{16} << 20;
// Sound batches that show by themselves that the log goes on here. Arbitrary.
constexpr int chain_batches = 16;
// Bytes made to look like headers must not make the search quadratic: so many times what is searched may be
// read for checksums.
constexpr std::uint64_t checksum_passes_max = 8;

class Search {
 public:
  Search(LogBytes& bytes, const SearchRange& range) noexcept
      : bytes_(bytes),
        range_(range),
        budget_((range.end - range.fault_position) * checksum_passes_max),
        bad_batch_end_(range.fault_position + 1) {}

  Result<std::optional<SoundBatch>> run() {
    if (auto found = follow_lengths(); !found || *found) return found;
    return try_every_byte();
  }

 private:
  Result<std::optional<BatchHeader>> header_at(std::uint64_t position) {
    auto bytes = bytes_.at(position, format::header_bytes);
    if (!bytes) return bytes.error();
    if (bytes->size() < format::header_bytes || position + format::header_bytes > range_.end)
      return std::optional<BatchHeader>();
    return std::optional(format::read_batch_header(bytes->data()));
  }

  // Of a header that nobody has checked: unsigned, so that nothing overflows.
  static bool is_next(Offset base, std::int32_t last_offset_delta, Offset next_base) noexcept {
    return static_cast<std::uint64_t>(base) + static_cast<std::uint64_t>(last_offset_delta) + 1 ==
           static_cast<std::uint64_t>(next_base);
  }

  Result<std::optional<SoundBatch>> follow_lengths() {
    std::uint64_t position = range_.fault_position;
    for (int hop = 0; hop < hops_max; ++hop) {
      auto header = header_at(position);
      if (!header) return header.error();
      if (!*header) break;
      const bool is_possible = (*header)->length >= format::length_min;
      const std::uint64_t behind = is_possible ? position + (*header)->size_bytes() : range_.end;
      if (hop == 0 && is_possible) bad_batch_end_ = std::min(behind, range_.end);
      auto sound = behind < range_.end ? sound_at(behind, range_.lowest_base) : std::optional<BatchHeader>();
      if (!sound) return sound.error();
      // Else a wrong length may have led over a sound batch.
      if (*sound && is_next((*header)->base_offset, (*header)->last_offset_delta, (*sound)->base_offset))
        return std::optional(SoundBatch{behind, **sound});
      auto mended = end_with_mended_length(position, **header);
      if (!mended) return mended.error();
      if (*mended) {
        if (hop == 0) bad_batch_end_ = **mended;
        auto other =
            **mended < range_.end ? sound_at(**mended, range_.lowest_base) : std::optional<BatchHeader>();
        if (!other) return other.error();
        if (*other) return std::optional(SoundBatch{**mended, **other});
      }
      if (*sound) return std::optional(SoundBatch{behind, **sound});
      position = mended->value_or(behind);
      if (position >= range_.end) break;
    }
    return std::optional<SoundBatch>();
  }

  // The checksum does not cover the length. Where it fits with one bit of the length flipped back, that is
  // how long the batch is.
  Result<std::optional<std::uint64_t>> end_with_mended_length(std::uint64_t position, BatchHeader header) {
    const auto length = static_cast<std::uint32_t>(header.length);
    for (unsigned bit = 0; bit < 32 && budget_ > 0; ++bit) {
      header.length = static_cast<std::int32_t>(length ^ (std::uint32_t{1} << bit));
      if (header.length < format::length_min || header.size_bytes() > mended_bytes_max) continue;
      if (header.size_bytes() > range_.end - position) continue;
      auto batch = bytes_.at(position, header.size_bytes());
      if (!batch) return batch.error();
      budget_ -= std::min<std::uint64_t>(budget_, header.size_bytes());
      if (batch->size() == header.size_bytes() && format::crc_is_valid(*batch))
        return std::optional(position + header.size_bytes());
    }
    return std::optional<std::uint64_t>();
  }

  Result<std::optional<SoundBatch>> try_every_byte() {
    std::uint64_t position = range_.fault_position + 1;
    while (position + format::header_bytes <= range_.end && budget_ > 0) {
      auto chunk = bytes_.at(position, std::min(chunk_bytes, range_.end - position));
      if (!chunk) return chunk.error();
      if (chunk->size() < format::header_bytes) break;
      const std::size_t skip = next_candidate(*chunk);
      const bool is_candidate = skip + format::header_bytes <= chunk->size();
      position += skip;
      if (!is_candidate) continue;
      auto found = believed_at(position);
      if (!found || *found) return found;
      ++position;
    }
    return std::optional<SoundBatch>();
  }

  // Where in `chunk` the first bytes lie that look like the header of a batch of this log; if none do, where
  // the headers begin that the chunk has no room for.
  std::size_t next_candidate(base::ByteSpan chunk) const noexcept {
    const std::size_t end = chunk.size() - format::header_bytes + 1;
    std::size_t at = 0;
    while (at < end) {
      const void* const magic =
          std::memchr(chunk.data() + at + format::magic_at, format::batch_magic, end - at);
      if (magic == nullptr) break;
      at = static_cast<std::size_t>(static_cast<const std::byte*>(magic) - chunk.data()) - format::magic_at;
      if (looks_right(format::read_batch_header(chunk.data() + at))) return at;
      ++at;
    }
    return end;
  }

  // A segment spans no more offsets than an index entry can express.
  bool looks_right(const BatchHeader& header) const noexcept {
    return header.length >= format::length_min && header.base_offset >= range_.lowest_base &&
           header.base_offset - range_.lowest_base <= std::numeric_limits<std::int32_t>::max() &&
           header.last_offset_delta >= 0 && header.leader_epoch >= -1 &&
           header.codec() <= format::Codec::zstd;
  }

  Result<std::optional<BatchHeader>> sound_at(std::uint64_t position, Offset lowest_base) {
    auto header = header_at(position);
    if (!header || !*header) return header;
    if (!looks_right(**header) || (*header)->size_bytes() > range_.end - position)
      return std::optional<BatchHeader>();
    const std::uint64_t size = (*header)->size_bytes();
    auto batch = bytes_.at(position, size);
    if (!batch) return batch.error();
    budget_ -= std::min(budget_, size);
    const bool is_sound = batch->size() >= size &&
                          format::check_batch(batch->first(size), lowest_base) == BatchFault::none &&
                          (*header)->next_offset() <= range_.offsets_end;
    return is_sound ? header : std::optional<BatchHeader>();
  }

  Result<std::optional<SoundBatch>> believed_at(std::uint64_t position) {
    auto first = sound_at(position, range_.lowest_base);
    if (!first) return first.error();
    if (!*first) return std::optional<SoundBatch>();
    BatchHeader last = **first;
    std::uint64_t begin = position;  // of the last one
    std::uint64_t behind = position + last.size_bytes();
    for (int count = 1; behind < range_.end; ++count) {
      const bool is_out_of_bad_batch = begin >= bad_batch_end_;
      if (is_out_of_bad_batch && count > chain_batches) break;
      auto next = sound_at(behind, last.next_offset());
      if (!next) return next.error();
      if (!*next) {
        auto ends = ends_at(behind);
        if (!ends) return ends.error();
        if (*ends || (is_out_of_bad_batch && count > 1)) break;
        return std::optional<SoundBatch>();
      }
      last = **next;
      begin = behind;
      behind += last.size_bytes();
    }
    return std::optional(SoundBatch{position, **first});
  }

  Result<bool> ends_at(std::uint64_t position) {
    auto bytes = bytes_.at(position, std::min<std::uint64_t>(format::header_bytes, range_.end - position));
    if (!bytes) return bytes.error();
    return format::check_structure(*bytes, 0) == BatchFault::end_of_log;
  }

  LogBytes& bytes_;
  const SearchRange range_;
  std::uint64_t budget_;
  std::uint64_t bad_batch_end_;  // As its length says, if that can be.
};

}  // namespace

Result<base::ByteSpan> MappedLogBytes::at(std::uint64_t position, std::uint64_t count) {
  const std::uint64_t begin = std::min<std::uint64_t>(position, log_.size());
  return log_.subspan(static_cast<std::size_t>(begin),
                      static_cast<std::size_t>(std::min<std::uint64_t>(count, log_.size() - begin)));
}

Result<base::ByteSpan> FileLogBytes::at(std::uint64_t position, std::uint64_t count) {
  count = std::min(count, end_ > position ? end_ - position : 0);
  const bool is_here = position >= window_position_ && position + count <= window_position_ + window_size_;
  if (!is_here) {
    const std::uint64_t wanted = std::max(count, chunk_bytes);
    if (window_.size() < wanted) window_.resize(static_cast<std::size_t>(wanted));
    auto read =
        file_.read_at(base::MutableByteSpan(window_).first(static_cast<std::size_t>(wanted)), position);
    if (!read) return read.error();
    window_position_ = position;
    window_size_ = *read;
    if (*read < wanted) end_ = position + *read;
  }
  const auto begin = static_cast<std::size_t>(position - window_position_);
  return base::ByteSpan(window_)
      .first(window_size_)
      .subspan(begin, std::min(static_cast<std::size_t>(count), window_size_ - begin));
}

Result<std::optional<SoundBatch>> find_sound_batch(LogBytes& bytes, const SearchRange& range) {
  if (range.fault_position >= range.end) return std::optional<SoundBatch>();
  return Search(bytes, range).run();
}

Result<bool> is_whole_batch(LogBytes& bytes, std::uint64_t position, std::uint64_t end) {
  auto front = bytes.at(position, format::header_bytes);
  if (!front) return front.error();
  if (front->size() < format::header_bytes) return false;
  const BatchHeader header = format::read_batch_header(front->data());
  if (header.length < format::length_min || position > end || header.size_bytes() > end - position)
    return false;
  auto batch = bytes.at(position, header.size_bytes());
  if (!batch) return batch.error();
  return batch->size() == header.size_bytes() && format::crc_is_valid(*batch);
}

}  // namespace seriatim::segment
