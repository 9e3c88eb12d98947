// `buffer_memory`: how many bytes of records may wait in a producer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <seriatim/result.hpp>

#include "base/counter.hpp"
#include "base/mutex.hpp"

namespace seriatim::delivery {

class MemoryLease;

/// A budget of bytes, given out first come first served. Any thread.
class BufferMemory : public std::enable_shared_from_this<BufferMemory> {
 public:
  /// `added` and `removed` are told of every change.
  BufferMemory(std::size_t limit, base::Counter& added, base::Counter& removed) noexcept
      : limit_(limit), added_(added), removed_(removed) {}

  /// Takes `bytes`, waiting until `deadline` for them. A request above the whole budget is granted when
  /// nothing else is out: it could never succeed otherwise.
  /// Errors: queue_full (the deadline had passed when called), timed_out.
  Result<MemoryLease> acquire(std::size_t bytes, std::chrono::steady_clock::time_point deadline);

 private:
  friend class MemoryLease;
  void release(std::size_t bytes) noexcept;
  bool fits(std::size_t bytes) const SERIATIM_REQUIRES(mutex_) {
    return used_ == 0 || used_ + bytes <= limit_;
  }

  const std::size_t limit_;
  base::Counter& added_;
  base::Counter& removed_;
  base::Mutex mutex_;
  base::ConditionVariable freed_;
  std::size_t used_ SERIATIM_GUARDED_BY(mutex_) = 0;
  std::uint64_t next_ticket_ SERIATIM_GUARDED_BY(mutex_) = 0;
  std::uint64_t served_ticket_ SERIATIM_GUARDED_BY(mutex_) = 0;
};

/// Bytes of a BufferMemory, given back by release or the destructor.
class MemoryLease {
 public:
  MemoryLease() noexcept = default;
  MemoryLease(std::shared_ptr<BufferMemory> from, std::size_t bytes) noexcept
      : from_(std::move(from)), bytes_(bytes) {}
  MemoryLease(MemoryLease&& other) noexcept
      : from_(std::move(other.from_)), bytes_(std::exchange(other.bytes_, 0)) {}
  MemoryLease& operator=(MemoryLease&& other) noexcept {
    if (this != &other) {
      release();
      from_ = std::move(other.from_);
      bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
  }
  ~MemoryLease() { release(); }
  void release() noexcept {
    if (from_) std::exchange(from_, nullptr)->release(bytes_);
  }

 private:
  std::shared_ptr<BufferMemory> from_;
  std::size_t bytes_ = 0;
};

}  // namespace seriatim::delivery
