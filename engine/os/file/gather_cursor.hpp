// The bookkeeping of a write of many pieces that the kernel may end anywhere.
#pragma once

#include <cstddef>
#include <span>

#include "base/bytes.hpp"

namespace seriatim::os {

/// Where a gathered write stands.
class GatherCursor {
 public:
  /// @param pieces  must outlive the cursor; empty ones are skipped.
  explicit GatherCursor(std::span<const base::ByteSpan> pieces) noexcept : pieces_(pieces) {}

  /// Puts what is left into `vectors`, as many as there are.
  /// @tparam Vector  struct iovec: an address and a number of bytes. A parameter, because its header is
  /// POSIX.
  /// @return how many are used; 0 when everything is written.
  template <class Vector>
  std::size_t fill(std::span<Vector> vectors) const noexcept {
    std::size_t count = 0;
    std::size_t skip = done_;
    for (std::size_t i = piece_; i < pieces_.size() && count < vectors.size(); ++i) {
      const base::ByteSpan rest = pieces_[i].subspan(skip);
      skip = 0;
      // Nothing is written through the pointer; readv, which would, shares the type.
      if (!rest.empty()) vectors[count++] = Vector{const_cast<std::byte*>(rest.data()), rest.size()};
    }
    return count;
  }

  /// Notes that the next `bytes` are written.
  void advance(std::size_t bytes) noexcept {
    done_ += bytes;
    while (piece_ < pieces_.size() && done_ >= pieces_[piece_].size()) {
      done_ -= pieces_[piece_].size();
      ++piece_;
    }
  }

 private:
  std::span<const base::ByteSpan> pieces_;
  std::size_t piece_ = 0;
  std::size_t done_ = 0;  // bytes of the current piece
};

}  // namespace seriatim::os
