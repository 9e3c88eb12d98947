// Frames that wait to be written, in the order of their LSNs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "journal/staged_frame.hpp"

namespace seriatim::journal {

/// A frame of a `FrameQueue`.
struct QueuedFrame {
  format::JournalFrameType type = format::JournalFrameType::batch;
  std::size_t at = 0;  ///< Where the queue's bytes of it begin: its header, fields, and a small body.
  std::size_t queued_bytes = 0;  ///< How many those are, without padding.
  base::ByteSpan body{};         ///< A large one, which `pin` keeps.
  std::shared_ptr<const void> pin{};
  std::uint64_t frame_bytes = 0;  ///< The bytes it takes in the file.
};

/// Small frames lie here one behind the other, padded, as they will in the file: together they are one piece
/// of a write.
/// Threads: one at a time.
class FrameQueue {
 public:
  void reserve(std::size_t frames) {
    frames_.reserve(frames);
    bytes_.reserve(frames * frame_bytes_expected);
  }

  /// Cost: a copy of a small frame; no allocation once as much was queued before.
  void push(StagedFrame&& frame) {
    QueuedFrame queued{.type = frame.type,
                       .at = bytes_.size(),
                       .queued_bytes = frame.head_size(),
                       .frame_bytes = frame.frame_bytes()};
    if (frame.pin) {
      bytes_.resize(queued.at + queued.queued_bytes);
      queued.body = frame.body;
      queued.pin = std::move(frame.pin);
    } else {
      queued.queued_bytes += frame.body.size();
      bytes_.resize(queued.at + queued.frame_bytes);
      if (!frame.body.empty())
        std::memcpy(bytes_.data() + queued.at + frame.head_size(), frame.body.data(), frame.body.size());
    }
    std::memcpy(bytes_.data() + queued.at, frame.head.data(), frame.head_size());
    frames_.push_back(std::move(queued));
  }

  std::size_t size() const noexcept { return frames_.size(); }
  bool empty() const noexcept { return frames_.empty(); }
  QueuedFrame& operator[](std::size_t index) noexcept { return frames_[index]; }
  const QueuedFrame& operator[](std::size_t index) const noexcept { return frames_[index]; }
  base::MutableByteSpan bytes_of(const QueuedFrame& frame) noexcept {
    return base::MutableByteSpan(bytes_).subspan(frame.at, frame.queued_bytes);
  }

  /// The room stays, up to what a burst does not need for long.
  void clear() noexcept {
    frames_.clear();
    bytes_.clear();
    if (bytes_.capacity() > kept_bytes_max) bytes_ = {};
  }
  void swap(FrameQueue& other) noexcept {
    frames_.swap(other.frames_);
    bytes_.swap(other.bytes_);
  }

 private:
  static constexpr std::size_t frame_bytes_expected = 512;             // arbitrary
  static constexpr std::size_t kept_bytes_max = std::size_t{4} << 20;  // arbitrary

  std::vector<QueuedFrame> frames_;
  std::vector<std::byte> bytes_;
};

}  // namespace seriatim::journal
