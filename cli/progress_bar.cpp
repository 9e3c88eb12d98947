#include "progress_bar.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <unistd.h>

#include "text/quantity.hpp"

namespace seriatim::cli {
namespace {

constexpr int bar_width = 24;
// Ten times a second looks smooth and costs nothing.
constexpr std::chrono::milliseconds redraw_interval{100};

bool can_redraw_lines() {
  const char* const terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace

ProgressBar::ProgressBar(std::string label, bool wanted)
    : label_(std::move(label)),
      visible_(wanted && can_redraw_lines()),
      started_(std::chrono::steady_clock::now()) {}

ProgressBar::~ProgressBar() { clear(); }

void ProgressBar::update(std::uint64_t done_bytes, std::uint64_t total_bytes) {
  if (is_due()) draw(line(label_, done_bytes, total_bytes, std::chrono::steady_clock::now() - started_));
}

bool ProgressBar::is_due() const {
  return visible_ && std::chrono::steady_clock::now() - drawn_at_ >= redraw_interval;
}

void ProgressBar::draw(const std::string& text) {
  drawn_at_ = std::chrono::steady_clock::now();
  drawn_ = true;
  std::fprintf(stderr, "\r\x1b[K%s", text.c_str());
}

void ProgressBar::clear() noexcept {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
}

std::string ProgressBar::line(const std::string& label, std::uint64_t done_bytes, std::uint64_t total_bytes,
                              std::chrono::nanoseconds elapsed) {
  const double done = static_cast<double>(std::min(done_bytes, total_bytes));
  const double total = static_cast<double>(total_bytes);
  const double part = total_bytes == 0 ? 1.0 : done / total;
  const auto filled = static_cast<std::size_t>(part * bar_width);
  const double seconds = std::chrono::duration<double>(elapsed).count();
  const double rate = seconds > 0 ? done / seconds : 0;
  std::string text = label + "  [" + std::string(filled, '#') + std::string(bar_width - filled, '-') + "] " +
                     fixed(part * 100, 0) + " %  " + readable_size(done) + " of " + readable_size(total) +
                     "  " + readable_size(rate) + "/s";
  if (rate > 0 && done < total) {
    const std::chrono::duration<double> left((total - done) / rate);
    text += "  ETA " + readable_duration(std::chrono::duration_cast<std::chrono::nanoseconds>(left));
  }
  return text;
}

}  // namespace seriatim::cli
