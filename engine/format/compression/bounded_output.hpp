// Where a decompressor writes: a vector that grows as needed, never past a bound.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "base/bytes.hpp"

namespace seriatim::format {

/// Appends to a vector. The vector is longer than what was written until trim().
class BoundedOutput {
 public:
  BoundedOutput(std::vector<std::byte>& out, std::size_t bytes_max) noexcept
      : out_(out),
        used_(out.size()),
        bytes_max_(bytes_max),
        // One byte past the bound, so that a stream that ends exactly there is told from one that goes on.
        end_max_(bytes_max < std::numeric_limits<std::size_t>::max() - used_
                     ? used_ + bytes_max + 1
                     : std::numeric_limits<std::size_t>::max()),
        over_at_(end_max_ - 1) {}

  std::size_t bytes_max() const noexcept { return bytes_max_; }
  /// More than bytes_max() were written.
  bool is_over() const noexcept { return used_ > over_at_; }
  /// How many more bytes may be written without being over.
  std::size_t remaining() const noexcept { return is_over() ? 0 : over_at_ - used_; }

  /// Free bytes to write to, never none while !is_over(); about `wanted` of them when the vector must grow.
  base::MutableByteSpan room(std::size_t wanted) {
    if (used_ == out_.size()) {
      const std::size_t growth = std::max({wanted, out_.size() / 2, growth_bytes_min});
      out_.resize(growth < end_max_ - used_ ? used_ + growth : end_max_);
    }
    return base::MutableByteSpan(out_).subspan(used_);
  }

  /// Exactly `size` free bytes, at most remaining().
  base::MutableByteSpan room_for(std::size_t size) {
    if (out_.size() - used_ < size)
      out_.resize(std::max(used_ + size, std::min(out_.size() * 3 / 2, over_at_)));
    return base::MutableByteSpan(out_).subspan(used_, size);
  }

  /// The first `size` bytes of the last room were written.
  void advance(std::size_t size) noexcept { used_ += size; }

  /// Cuts the vector to what was written.
  void trim() { out_.resize(used_); }

 private:
  static constexpr std::size_t growth_bytes_min = 4096;  // arbitrary

  std::vector<std::byte>& out_;
  std::size_t used_;
  std::size_t bytes_max_;
  std::size_t end_max_;
  std::size_t over_at_;
};

}  // namespace seriatim::format
