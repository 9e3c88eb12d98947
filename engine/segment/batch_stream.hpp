// Walks the batches of a log file through read calls, in order, with every structural check. For recovery, verify, dump and
// compaction: a failing sector is an error here, where a mapped read would be a SIGBUS.
#pragma once

#include <cstdint>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/batch_check.hpp"
#include "format/batch_header.hpp"
#include "os/vfs.hpp"

namespace seriatim::segment {

class BatchStream {
 public:
  /// Walks [position, end) of `file`; the first batch must have a base offset of at least `lowest_offset`.
  BatchStream(os::File& file, std::uint64_t position, std::uint64_t end, Offset lowest_offset) noexcept;

  struct Item {
    std::uint64_t position = 0;             ///< Of the batch, or of the fault.
    format::BatchHeader header{};           ///< Only if fault is none.
    base::ByteSpan bytes{};                 ///< The whole batch; valid until the next call.
    format::BatchFault fault = format::BatchFault::none;
    bool at_end = false;                    ///< Nothing left in [position, end): the normal end.
  };
  /// The next batch, checked (structure and CRC). After a fault or the end it returns the same again.
  /// Errors: io_error and the like from reading; never for bad bytes, those are faults.
  Result<Item> next();

 private:
  Result<bool> fill(std::uint64_t needed);

  os::File& file_;
  std::uint64_t position_;
  std::uint64_t end_;
  Offset expected_offset_;
  std::vector<std::byte> window_;
  std::uint64_t window_position_ = 0;
  std::size_t window_size_ = 0;
  bool stopped_ = false;
  Item last_{};
};

}  // namespace seriatim::segment
