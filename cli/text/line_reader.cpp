#include "text/line_reader.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include "interrupt.hpp"

namespace seriatim::cli {
namespace {

// A pipe holds 64 KiB; files are read in larger pieces, which makes larger batches.
constexpr std::size_t chunk_bytes = 256 * 1024;

}  // namespace

Result<std::vector<std::string_view>> LineReader::read_lines() {
  buffer_.erase(0, taken_);
  searched_ -= taken_;
  taken_ = 0;
  std::vector<std::string_view> lines;
  while (lines.empty() && !ended_) {
    const Result<Arrival> arrival = read_more();
    if (!arrival.ok()) return arrival.error();
    if (*arrival == Arrival::interrupted) break;
    ended_ = *arrival == Arrival::end;
    take_lines(lines);
  }
  return lines;
}

bool LineReader::has_input() const {
  pollfd input{fd_, POLLIN, 0};
  return ended_ || ::poll(&input, 1, 0) > 0;
}

Result<LineReader::Arrival> LineReader::read_more() {
  while (true) {
    std::array<pollfd, 2> inputs{pollfd{fd_, POLLIN, 0}, pollfd{interrupt_fd(), POLLIN, 0}};
    if (::poll(inputs.data(), inputs.size(), -1) < 0 && errno != EINTR) {
      return Error(Errc::io_error, std::string("waiting for input failed: ") + std::strerror(errno), errno);
    }
    if (is_interrupted()) return Arrival::interrupted;
    if (inputs[0].revents == 0) continue;
    const std::size_t before = buffer_.size();
    if (before > line_bytes_max_ + delimiter_.size()) {
      return Error(Errc::record_too_large, "the line is longer than " + std::to_string(line_bytes_max_) +
                                               " bytes; choose the delimiter (-D) of the data");
    }
    buffer_.resize(before + chunk_bytes);
    const ssize_t got = ::read(fd_, buffer_.data() + before, chunk_bytes);
    const int read_errno = errno;
    buffer_.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got > 0) return Arrival::bytes;
    if (got == 0) return Arrival::end;
    if (read_errno != EINTR && read_errno != EAGAIN) {
      return Error(Errc::io_error, std::string("reading the input failed: ") + std::strerror(read_errno),
                   read_errno);
    }
  }
}

void LineReader::take_lines(std::vector<std::string_view>& lines) {
  const std::string_view buffer = buffer_;
  while (true) {
    const std::size_t found = buffer.find(delimiter_, searched_);
    if (found == std::string_view::npos) break;
    lines.push_back(buffer.substr(taken_, found - taken_));
    taken_ = found + delimiter_.size();
    searched_ = taken_;
  }
  if (ended_) {
    if (taken_ < buffer.size()) lines.push_back(buffer.substr(taken_));
    taken_ = buffer.size();
    searched_ = taken_;
  } else if (buffer.size() - taken_ >= delimiter_.size()) {
    searched_ = buffer.size() - delimiter_.size() + 1;  // A delimiter may have arrived in part.
  }
}

}  // namespace seriatim::cli
