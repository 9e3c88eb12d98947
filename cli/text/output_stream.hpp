// Standard output, buffered, with every failed write reported: results that did not arrive must not look like
// results.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <seriatim/result.hpp>

namespace seriatim::cli {

/// Threads: one at a time.
class OutputStream {
 public:
  explicit OutputStream(int fd) : fd_(fd) {}

  /// Appends to the buffer. A failure to write it out is kept and answered by the next `flush`.
  void write(std::string_view text);
  /// Writes out what is buffered.
  /// Errors: io_error, with the cause; the same from then on.
  Result<> flush();
  /// flush(), and if the reading end was closed an error even though nothing was to be written: for who waits
  /// long for the next thing to write.
  /// Errors: as flush.
  Result<> flush_or_notice();

  /// False: whoever read this has closed it, so that nobody waits for the rest. For work that takes long and
  /// is told at its end. Looks ten times a second at the most.
  bool has_reader();

  /// A write failed: what is written from here on goes nowhere.
  bool has_failed() const noexcept { return failed_errno_ != 0; }
  /// The reading end was closed: to be ended quietly, as `... | head` expects.
  bool reader_is_gone() const noexcept;
  bool is_terminal() const noexcept;

 private:
  void write_out();
  void notice_reader();

  int fd_;
  std::chrono::steady_clock::time_point looked_at_{};
  int failed_errno_ = 0;
  std::string buffer_{};
};

}  // namespace seriatim::cli
