// Writes a .log file with our encoder and prints, before anything is encoded, what a reader of the file must
// see.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/result.hpp>

#include "format/batch/batch_builder.hpp"
#include "format/batch/batch_rebuilder.hpp"
#include "format/batch/control_record.hpp"

namespace seriatim::kafka_test {

/// A record that owns its bytes.
struct OwnedInput {
  std::int64_t timestamp_ms = -1;
  std::optional<std::string> key{};
  std::optional<std::string> value{};
  std::vector<std::pair<std::string, std::optional<std::string>>> headers{};
};

class SegmentWriter {
 public:
  /// Bytes go to `log`, the expected record lines to `expected`.
  SegmentWriter(std::ostream& log, std::ostream& expected, Offset base_offset) noexcept
      : log_(log), expected_(expected), next_offset_(base_offset) {}

  /// One batch through BatchBuilder.
  Result<> append(const std::vector<OwnedInput>& records, const format::FrameOptions& options);
  /// One uncompressed record through frame_single, the hot path.
  Result<> append_single(const OwnedInput& record, const format::FrameOptions& options);
  /// One uncompressed record whose value is written in place: open_single, then seal_batch.
  Result<> append_in_place(const OwnedInput& record, const format::FrameOptions& options);
  /// A batch of log append time, stamped after it was framed, as an append does.
  Result<> append_stamped(const std::vector<OwnedInput>& records, const format::FrameOptions& options,
                          std::int64_t append_time_ms);
  void append_marker(const format::EndMarker& marker);
  /// Frames `records` and writes what compaction would leave of the batch: the records that `keep` is true
  /// for, by index.
  Result<> append_compacted(const std::vector<OwnedInput>& records, const format::FrameOptions& options,
                            const format::RebuildOptions& rebuild,
                            const std::function<bool(std::size_t)>& keep);

  Offset next_offset() const noexcept { return next_offset_; }

 private:
  void expect(const OwnedInput& record, std::int32_t index, const format::FrameOptions& options);
  void write(base::MutableByteSpan batch, std::int32_t offsets_used);
  Result<format::FramedBatch> frame(const std::vector<OwnedInput>& records,
                                    const format::FrameOptions& options);
  Result<format::FramedBatch> compact(base::MutableByteSpan original, const format::RebuildOptions& rebuild,
                                      const std::function<bool(std::size_t)>& keep);

  std::ostream& log_;
  std::ostream& expected_;
  Offset next_offset_;
  format::BatchBuilder builder_;
  format::BatchRebuilder rebuilder_;
  std::vector<std::byte> scratch_;
};

}  // namespace seriatim::kafka_test
