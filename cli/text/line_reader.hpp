// Reads records that a delimiter parts from a pipe, a terminal or a file, and hands over what is there
// without waiting for more.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/result.hpp>

namespace seriatim::cli {

/// Threads: one at a time.
class LineReader {
 public:
  /// @param fd  open for reading; stays the caller's.
  /// @param delimiter  not empty.
  /// @param line_bytes_max  what a line may take: bounds the memory of one that never ends.
  LineReader(int fd, std::string delimiter, std::size_t line_bytes_max = record_bytes_max)
      : fd_(fd), delimiter_(std::move(delimiter)), line_bytes_max_(line_bytes_max) {}

  /// A record's sizes are int32 in the format.
  static constexpr std::size_t record_bytes_max = 0x7fffffff;

  /// Waits for input and returns every whole line that has arrived, at least one; none at the end of the
  /// input or when a signal asked to stop. A last line without a delimiter counts.
  /// Errors: io_error; record_too_large: a line exceeds `line_bytes_max`; those before it were returned.
  /// Lifetime: the lines live until the next call.
  Result<std::vector<std::string_view>> read_lines();
  /// Whether `read_lines` would find input without waiting. True at the end of the input.
  bool has_input() const;

 private:
  enum class Arrival { bytes, end, interrupted };
  Result<Arrival> read_more();
  void take_lines(std::vector<std::string_view>& lines);

  int fd_;
  std::string delimiter_;
  std::size_t line_bytes_max_;
  std::string buffer_{};
  std::size_t taken_ = 0;     ///< Bytes of the buffer that were handed over.
  std::size_t searched_ = 0;  ///< From where on the next delimiter may begin.
  bool ended_ = false;
};

}  // namespace seriatim::cli
