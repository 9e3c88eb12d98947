#include "segment/scan/batch_stream.hpp"

#include <algorithm>

#include "format/batch_layout.hpp"

namespace seriatim::segment {
namespace {

// Measured: with reads of this size a cold sequential scan reaches the bandwidth of the device.
constexpr std::uint64_t window_bytes = 256 * 1024;

}  // namespace

BatchStream::BatchStream(os::File& file, std::uint64_t position, std::uint64_t end,
                         Offset lowest_offset) noexcept
    : file_(file), position_(position), end_(end), expected_offset_(lowest_offset) {}

Result<BatchStream::Item> BatchStream::next() {
  if (stopped_) return last_;
  auto header_bytes = fill(format::header_bytes);
  if (!header_bytes) return std::move(header_bytes).error();
  if (position_ >= end_) {
    stopped_ = true;
    last_ = Item{.position = position_, .at_end = true};
    return last_;
  }
  base::ByteSpan bytes = *header_bytes;
  if (bytes.size() >= format::header_bytes) {
    const auto length = base::load_be<std::int32_t>(bytes.data() + format::length_at);
    const auto size = static_cast<std::uint64_t>(std::max(length, 0)) + format::log_overhead;
    // A length that does not fit is a fault to be told below, not memory to be had.
    if (size <= end_ - position_) {
      auto whole = fill(size);
      if (!whole) return std::move(whole).error();
      bytes = *whole;
    }
  }
  const format::BatchFault fault = format::check_structure(bytes, expected_offset_);
  if (fault != format::BatchFault::none) return stop(fault);
  const auto header = format::read_batch_header(bytes.data());
  bytes = bytes.first(header.size_bytes());
  if (position_ + bytes.size() > trusted_below_ && !format::crc_is_valid(bytes)) {
    return stop(format::BatchFault::bad_crc);
  }
  const Item item{.position = position_, .header = header, .bytes = bytes};
  position_ += bytes.size();
  expected_offset_ = header.next_offset();
  return item;
}

void BatchStream::resume_at(std::uint64_t position, Offset lowest_offset) noexcept {
  position_ = position;
  expected_offset_ = lowest_offset;
  stopped_ = false;
}

BatchStream::Item BatchStream::stop(format::BatchFault fault) noexcept {
  stopped_ = true;
  last_ = Item{.position = position_, .fault = fault};
  return last_;
}

Result<base::ByteSpan> BatchStream::fill(std::uint64_t wanted) {
  const std::uint64_t left = position_ < end_ ? end_ - position_ : 0;
  wanted = std::min(wanted, left);
  const bool is_here = position_ >= window_position_ && position_ + wanted <= window_position_ + window_size_;
  if (!is_here) {
    const std::uint64_t size = std::min(std::max(wanted, window_bytes), left);
    if (window_.size() < size) window_.resize(size);
    auto read = file_.read_at(base::MutableByteSpan(window_).first(size), position_);
    if (!read) return std::move(read).error();
    window_position_ = position_;
    window_size_ = *read;
    if (*read < size) end_ = position_ + *read;  // the file is shorter than its caller believed
  }
  return base::ByteSpan(window_).first(window_size_).subspan(position_ - window_position_);
}

}  // namespace seriatim::segment
