/// @file
/// `LogReader`: the raw log of one partition, by offset: whole batches as file ranges, point and backward
/// reads.
#pragma once

#include <seriatim/language.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <seriatim/export.hpp>
#include <seriatim/record.hpp>
#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

namespace detail {
struct FileSliceImpl;
struct LogReaderImpl;
}  // namespace detail

/// A range of whole record batches in one segment file, for sendfile, splice, copy_file_range, or to look at
/// in place.
///
/// Lifetime: the descriptor and the bytes stay valid while it lives, also after retention deleted the
/// segment.
class SERIATIM_API FileSlice {
 public:
  FileSlice() noexcept;
  FileSlice(FileSlice&&) noexcept;
  FileSlice& operator=(FileSlice&&) noexcept;
  ~FileSlice();

  /// Descriptor of the segment file, open for reading. Do not close it; do not rely on its file position.
  int fd() const noexcept;
  /// First byte of the range in the file.
  std::uint64_t position() const noexcept;
  /// Length in bytes; 0 at the end of the log.
  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  /// Base offset of the first batch: at or before the offset asked for.
  Offset first_offset() const noexcept;
  /// Where to fetch next.
  Offset next_offset() const noexcept;
  /// The same bytes, mapped.
  std::span<const std::byte> bytes() const& noexcept;
  std::span<const std::byte> bytes() && = delete;

 private:
  friend struct detail::FileSliceImpl;
  std::unique_ptr<detail::FileSliceImpl> impl_;
};

/// Options of a log reader.
struct LogReaderOptions {
  /// Of `read`, `read_backward` and `record_at`. `fetch` gives the batches as they are stored.
  IsolationLevel isolation_level = IsolationLevel::read_committed;
};

/// Reads one partition without group or position. Made by `Engine::reader`.
///
/// Threads: any number at the same time.
class SERIATIM_API LogReader {
 public:
  LogReader(LogReader&&) noexcept;
  LogReader& operator=(LogReader&&) noexcept;
  ~LogReader();

  /// Finds whole batches from the one that holds `from` on, in place: whatever is stored, control batches and
  /// those of open and aborted transactions included, at every isolation level.
  ///
  /// @param from       log start .. high watermark, both inclusive; at the high watermark the slice is empty.
  /// @param max_bytes  1 .. 2'147'479'552 (what one sendfile call moves); at least one batch is returned even
  /// if it is larger. The slice ends with a segment; ask again at next_offset().
  /// Errors: offset_out_of_range (the message has the valid range), invalid_argument, corrupt_record,
  /// too_many_open_files, closed.
  /// Threads: any.
  /// Cost: no copy, no lock; two binary searches and at most `index.interval.bytes` of batch headers.
  Result<FileSlice> fetch(Offset from, std::size_t max_bytes = 1 << 20) const;

  /// Sends what remains of `slice` after `already_sent` bytes to `out_fd`, a socket, pipe or file, by
  /// sendfile(2). The bytes do not enter user space, unless `out_fd` is a file in append mode.
  ///
  /// @return Bytes sent by this call: less than what remains only if `out_fd` is non-blocking and full (0 if
  /// nothing fitted).
  /// Errors: io_error with sys_errno() EPIPE if the other side is gone (no SIGPIPE is raised), or what the
  /// system call said.
  /// Threads: any.
  Result<std::size_t> send_to(int out_fd, const FileSlice& slice, std::size_t already_sent = 0) const;

  /// Up to `max_records` records, 1 .. 1'000'000, from `from` on (the first existing one at or after it);
  /// empty at the high watermark, and under read_committed from the last stable offset on.
  /// Errors: offset_out_of_range, corrupt_record, invalid_argument, closed.
  /// Threads: any.
  Result<ConsumerRecords> read(Offset from, std::size_t max_records) const;
  /// Up to `max_records` records below `before`, newest first.
  /// Errors: as `read`. `before` may be up to the high watermark.
  /// Threads: any.
  Result<ConsumerRecords> read_backward(Offset before, std::size_t max_records) const;
  /// The record at exactly `offset`; empty if compaction removed it, or the isolation level hides it.
  /// Errors: offset_out_of_range, corrupt_record, closed.
  /// Threads: any.
  Result<ConsumerRecords> record_at(Offset offset) const;

  Offset log_start_offset() const noexcept;
  Offset high_watermark() const noexcept;
  /// Records below belong to no open transaction, nor to one that is just becoming visible.
  Offset last_stable_offset() const noexcept;
  Offset log_end_offset() const noexcept;

 private:
  friend struct detail::LogReaderImpl;
  explicit LogReader(std::shared_ptr<const detail::LogReaderImpl> impl) noexcept;
  std::shared_ptr<const detail::LogReaderImpl> impl_;
};

}  // namespace v0
}  // namespace seriatim
