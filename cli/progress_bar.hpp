// A line on standard error that shows how far long work is, how fast, and how long it will take. Silent
// unless that is a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace seriatim::cli {

/// Threads: one at a time.
class ProgressBar {
 public:
  /// @param label  what is being done, a word or two.
  /// @param wanted  false: stay silent (--quiet).
  ProgressBar(std::string label, bool wanted);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// Draws anew if the last drawing is old enough.
  void update(std::uint64_t done_bytes, std::uint64_t total_bytes);
  /// The same with a line of the caller's own behind the label, made by `text` only if it is drawn.
  template <class Text>
  void show(const Text& text) {
    if (is_due()) draw(label_ + "  " + text());
  }
  /// Wipes the line, so that what follows starts on a clean one.
  void clear() noexcept;

  /// The line for these numbers, without control characters.
  static std::string line(const std::string& label, std::uint64_t done_bytes, std::uint64_t total_bytes,
                          std::chrono::nanoseconds elapsed);

 private:
  bool is_due() const;
  void draw(const std::string& text);

  std::string label_;
  bool visible_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point drawn_at_{};
};

}  // namespace seriatim::cli
