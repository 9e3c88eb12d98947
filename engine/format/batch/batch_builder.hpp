// Gathers records and frames them as one batch, in buffers that are kept for the next batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <seriatim/result.hpp>

#include "format/batch/frame.hpp"
#include "format/batch_layout.hpp"

namespace seriatim::format {

struct RecordFields;

/// Offsets within the batch are 0, 1, 2, ... in the order of append. One thread at a time.
class BatchBuilder {
 public:
  /// Encodes a copy of `record` behind the earlier ones.
  ///
  /// Errors (the builder is as before the call):
  ///   - invalid_timestamp: below -1.
  ///   - record_too_large:  the batch would exceed Kafka's 31-bit length or count.
  Result<void> append(const RecordInput& record);

  std::int32_t record_count() const noexcept { return record_count_; }
  bool empty() const noexcept { return record_count_ == 0; }
  /// Bytes of the batch as it is, uncompressed, with its header.
  std::size_t size_bytes() const noexcept { return used_; }
  /// The most that size_bytes() could be after appending `record`.
  std::size_t upper_bound_bytes(const RecordInput& record) const noexcept;
  std::int64_t max_timestamp_ms() const noexcept { return max_timestamp_ms_; }

  /// Forgets the records and keeps the memory.
  void clear() noexcept;

  /// Makes the batch of the records so far; the records stay, so that it can be framed again with other
  /// options.
  ///
  /// Base offset and leader epoch are 0. The result points into this builder and is valid until its next
  /// call.
  /// Errors (the records stay):
  ///   - invalid_argument: there is no record.
  ///   - unsupported_codec, invalid_config: as compress().
  ///   - record_too_large: the compressed records exceed Kafka's 31-bit length.
  Result<FramedBatch> frame(const FrameOptions& options);
  /// The same, told in `framed`; on failure that is as it was.
  Result<void> frame(const FrameOptions& options, FramedBatch& framed);

 private:
  Result<void> append_any(const RecordInput& record, const RecordFields& fields);
  void note_appended(std::size_t record_bytes, std::int64_t timestamp_ms) noexcept;

  // Longer than `used_`, so that appending does not clear memory it is about to write.
  std::vector<std::byte> buffer_;
  std::vector<std::byte> compressed_;
  std::size_t used_ = header_bytes;
  std::int32_t record_count_ = 0;
  std::int64_t base_timestamp_ms_ = no_timestamp_ms;
  std::int64_t max_timestamp_ms_ = no_timestamp_ms;
};

}  // namespace seriatim::format
