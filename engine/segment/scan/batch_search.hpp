// Where a log goes on behind a batch that is bad: at the next one that is sound. Recovery, replay, readers,
// `verify` and `repair` ask here, so that they agree about where damage ends.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/batch_header.hpp"
#include "os/vfs.hpp"

namespace seriatim::segment {

/// The bytes of a log, wherever they lie.
class LogBytes {
 public:
  virtual ~LogBytes() = default;
  LogBytes() = default;
  LogBytes(const LogBytes&) = delete;
  LogBytes& operator=(const LogBytes&) = delete;
  /// [position, position + count), fewer where the log ends; valid until the next call.
  virtual Result<base::ByteSpan> at(std::uint64_t position, std::uint64_t count) = 0;
};

class MappedLogBytes final : public LogBytes {
 public:
  explicit MappedLogBytes(base::ByteSpan log) noexcept : log_(log) {}
  Result<base::ByteSpan> at(std::uint64_t position, std::uint64_t count) override;

 private:
  base::ByteSpan log_;
};

class FileLogBytes final : public LogBytes {
 public:
  /// @param file  outlives it.
  explicit FileLogBytes(os::File& file) noexcept : file_(file) {}
  Result<base::ByteSpan> at(std::uint64_t position, std::uint64_t count) override;

 private:
  os::File& file_;
  std::vector<std::byte> window_{};
  std::uint64_t window_position_ = 0;
  std::size_t window_size_ = 0;
  std::uint64_t end_ = std::numeric_limits<std::uint64_t>::max();  // Of the file, once a read met it.
};

struct SearchRange {
  std::uint64_t fault_position = 0;  ///< Of the bad batch; what is found lies behind.
  std::uint64_t end = 0;             ///< Of the log.
  Offset lowest_base = 0;            ///< The least base offset of a batch behind the bad one.
  /// Batches that are found end below: where the next segment begins, or the log ends.
  Offset offsets_end = std::numeric_limits<Offset>::max();
};

struct SoundBatch {
  std::uint64_t position = 0;
  format::BatchHeader header{};
};

/// The first sound batch behind a bad one. Where the length of the bad one is right, that is the batch behind
/// it; else every byte is tried. There, a batch that a record carries in its value must not be taken for one
/// of this log: what is found there is believed only if the batches behind it lead to the end of the log, or
/// out of the bad batch.
/// @return nothing if there is none.
/// Errors: those of reading.
/// Cost: a checksum of a batch if the length is right; else up to a few reads of what lies behind.
Result<std::optional<SoundBatch>> find_sound_batch(LogBytes& bytes, const SearchRange& range);

/// Whether a batch lies at `position` whose length and checksum are right, whatever else its header says: no
/// torn tail looks so (INV-12).
Result<bool> is_whole_batch(LogBytes& bytes, std::uint64_t position, std::uint64_t end);

}  // namespace seriatim::segment
