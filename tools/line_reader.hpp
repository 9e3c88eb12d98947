// Reads records that a delimiter parts from a pipe, a terminal or a file, and hands over what is there
// without waiting for more.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/result.hpp>

namespace seriatim::tools {

/// Threads: one at a time.
class LineReader {
 public:
  /// @param fd  open for reading; stays the caller's.
  /// @param delimiter  not empty.
  LineReader(int fd, std::string delimiter) : fd_(fd), delimiter_(std::move(delimiter)) {}

  /// Waits for input and returns every whole line that has arrived, at least one; none at the end of the
  /// input or when a signal asked to stop. A last line without a delimiter counts. Errors: io_error;
  /// record_too_large: a line exceeds what one record can hold. Lifetime: the lines live until the next call.
  Result<std::vector<std::string_view>> read_lines();
  /// Whether `read_lines` would find input without waiting. True at the end of the input.
  bool has_input() const;

 private:
  enum class Arrival { bytes, end, interrupted };
  Result<Arrival> read_more();
  void take_lines(std::vector<std::string_view>& lines);

  int fd_;
  std::string delimiter_;
  std::string buffer_{};
  std::size_t taken_ = 0;     ///< Bytes of the buffer that were handed over.
  std::size_t searched_ = 0;  ///< From where on the next delimiter may begin.
  bool ended_ = false;
};

}  // namespace seriatim::tools
