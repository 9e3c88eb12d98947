#include "flow/dedupe/dedupe_window.hpp"

#include <algorithm>

namespace seriatim::flow {
namespace {

// Arbitrary: so much of a window may leave it at once, or be remembered too long.
constexpr std::uint64_t buckets_in_window = 64;

}  // namespace

DedupeWindow::DedupeWindow(const DedupeLimits& limits)
    : limits_(limits),
      bucket_count_max_(std::max<std::uint64_t>(limits.count / buckets_in_window, 1)),
      bucket_time_max_(std::max<std::chrono::milliseconds>(
          limits.time / static_cast<std::int64_t>(buckets_in_window), std::chrono::milliseconds(1))) {}

DedupeMark DedupeWindow::next(Timestamp now) {
  // A clock that was set back begins another one too: the newest id of a bucket says when all of it is old.
  const bool is_other_time = now < current_began_ || now - current_began_ >= bucket_time_max_;
  if (current_count_ >= bucket_count_max_ || current_count_ == 0 || is_other_time) {
    ++current_;
    current_count_ = 0;
    current_began_ = now;
  }
  ++current_count_;
  return {.bucket = current_, .time = now};
}

void DedupeWindow::add(const DedupeMark& mark) {
  Bucket& bucket = buckets_[mark.bucket];
  ++bucket.count;
  bucket.newest = std::max(bucket.newest, mark.time);
  ++stored_;
  current_ = std::max(current_, mark.bucket);
  if (mark.bucket < oldest_kept_) return;
  ++kept_;
  trim();
}

void DedupeWindow::remove(const DedupeMark& mark) {
  const auto found = buckets_.find(mark.bucket);
  if (found == buckets_.end()) return;
  --stored_;
  if (mark.bucket >= oldest_kept_) --kept_;
  if (--found->second.count == 0) buckets_.erase(found);
}

void DedupeWindow::trim() {
  for (auto oldest = buckets_.lower_bound(oldest_kept_); kept_ - oldest->second.count >= limits_.count;
       ++oldest) {
    kept_ -= oldest->second.count;
    oldest_kept_ = oldest->first + 1;
  }
}

// Of a time that a disk gave, every difference must be one.
bool DedupeWindow::is_expired(Timestamp time, Timestamp now) const {
  const auto count_of = [](Timestamp at) {
    return static_cast<std::uint64_t>(at.time_since_epoch().count());
  };
  return time <= now && count_of(now) - count_of(time) >= static_cast<std::uint64_t>(limits_.time.count());
}

bool DedupeWindow::holds(const DedupeMark& mark, Timestamp now) const {
  return mark.bucket >= oldest_kept_ && !is_expired(mark.time, now);
}

std::uint64_t DedupeWindow::outside(Timestamp now) const {
  std::uint64_t count = 0;
  for (const auto& [number, bucket] : buckets_) {
    if (number < oldest_kept_ || is_expired(bucket.newest, now)) count += bucket.count;
  }
  return count;
}

}  // namespace seriatim::flow
