// Walks the batches of a log file through read calls, in order, with every structural check. For recovery,
// verify, dump and compaction: a failing sector is an error here, where a mapped read would be a SIGBUS.
#pragma once

#include <cstdint>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/batch/batch_check.hpp"
#include "format/batch_header.hpp"
#include "os/vfs.hpp"

namespace seriatim::segment {

class BatchStream {
 public:
  /// Walks [position, end) of `file`, which is cut at the end of the file; the first batch must have a base
  /// offset of at least `lowest_offset`. `file` outlives the stream.
  BatchStream(os::File& file, std::uint64_t position, std::uint64_t end, Offset lowest_offset) noexcept;

  struct Item {
    std::uint64_t position = 0;    ///< Of the batch, or of the fault.
    format::BatchHeader header{};  ///< Only if fault is none and at_end is not set.
    base::ByteSpan bytes{};        ///< The whole batch; valid until the next call.
    format::BatchFault fault = format::BatchFault::none;
    bool at_end = false;  ///< Nothing left in [position, end): the normal end.
  };
  /// The next batch, checked (structure and CRC). After a fault or the end it returns the same again.
  /// Errors: io_error and the like from reading; never for bad bytes, those are faults.
  Result<Item> next();

  /// Batches that end at or below `position` are believed without their CRC.
  void trust_crc_below(std::uint64_t position) noexcept { trusted_below_ = position; }
  /// Goes on from `position`, where a batch is known to begin, after a fault or the end.
  void resume_at(std::uint64_t position, Offset lowest_offset) noexcept;
  /// Where the next batch begins.
  std::uint64_t position() const noexcept { return position_; }
  /// The lowest base offset the next batch may have.
  Offset expected_offset() const noexcept { return expected_offset_; }

 private:
  /// Reads until `wanted` bytes from position_ on are in the window; fewer where the file ends.
  Result<base::ByteSpan> fill(std::uint64_t wanted);
  Item stop(format::BatchFault fault) noexcept;

  os::File& file_;
  std::uint64_t position_;
  std::uint64_t end_;
  Offset expected_offset_;
  std::uint64_t trusted_below_ = 0;
  std::vector<std::byte> window_{};
  std::uint64_t window_position_ = 0;
  std::size_t window_size_ = 0;
  bool stopped_ = false;
  Item last_{};
};

}  // namespace seriatim::segment
