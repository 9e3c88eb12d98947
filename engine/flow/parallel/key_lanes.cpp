#include "flow/parallel/key_lanes.hpp"

#include <algorithm>
#include <utility>

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

constexpr std::size_t buckets_at_first = 1'024;  // arbitrary
constexpr std::size_t lanes_of_block = 256;      // arbitrary

}  // namespace

KeyLanes::KeyLanes() : buckets_(buckets_at_first) {}

void KeyLanes::add(QueuedRecord& record) {
  KeyLane& lane = lane_of(record);
  record.next = nullptr;
  const bool is_new = lane.first == nullptr && !lane.is_taken;
  (lane.first == nullptr ? lane.first : lane.last->next) = &record;
  lane.last = &record;
  if (is_new) make_ready(lane);
}

KeyLane& KeyLanes::lane_of(const QueuedRecord& record) {
  if (!record.has_order) return new_lane();
  for (KeyLane* lane = buckets_[bucket_of(record.order)]; lane != nullptr; lane = lane->next) {
    if (lane->order == record.order && lane->partition == record.slice->partition) return *lane;
  }
  if (ordered_count_ >= buckets_.size()) grow();
  KeyLane& lane = new_lane();
  lane.order = record.order;
  lane.partition = record.slice->partition;
  lane.has_order = true;
  KeyLane*& bucket = buckets_[bucket_of(record.order)];
  lane.next = std::exchange(bucket, &lane);
  ++ordered_count_;
  return lane;
}

KeyLane& KeyLanes::new_lane() {
  if (free_ == nullptr) {
    waiting_.reserve((blocks_.size() + 1) * lanes_of_block);
    blocks_.push_back(std::make_unique<KeyLane[]>(lanes_of_block));
    for (std::size_t i = 0; i < lanes_of_block; ++i)
      blocks_.back()[i].next = std::exchange(free_, &blocks_.back()[i]);
  }
  KeyLane& lane = *std::exchange(free_, free_->next);
  lane = {};
  return lane;
}

void KeyLanes::grow() {
  const std::vector<KeyLane*> before = std::exchange(buckets_, std::vector<KeyLane*>(buckets_.size() * 2));
  for (KeyLane* lane : before) {
    while (lane != nullptr) {
      KeyLane*& bucket = buckets_[bucket_of(lane->order)];
      KeyLane* const next = std::exchange(lane->next, bucket);
      bucket = std::exchange(lane, next);
    }
  }
}

void KeyLanes::make_ready(KeyLane& lane) noexcept {
  lane.next_ready = nullptr;
  (ready_last_ == nullptr ? ready_first_ : ready_last_->next_ready) = &lane;
  ready_last_ = &lane;
  ++ready_count_;
}

RecordRun KeyLanes::take(std::size_t records_max) noexcept {
  KeyLane& lane = *std::exchange(ready_first_, ready_first_->next_ready);
  if (ready_first_ == nullptr) ready_last_ = nullptr;
  --ready_count_;
  QueuedRecord* last = lane.first;
  for (std::size_t count = 1; count < records_max && last->next != nullptr; ++count) last = last->next;
  const RecordRun run{.lane = &lane, .first = lane.first, .last = last};
  lane.first = std::exchange(last->next, nullptr);
  lane.is_taken = true;
  return run;
}

void KeyLanes::give_back(KeyLane& lane) noexcept {
  lane.is_taken = false;
  if (lane.first != nullptr) {
    make_ready(lane);
  } else {
    forget(lane);
  }
}

void KeyLanes::forget(KeyLane& lane) noexcept {
  if (lane.has_order) {
    KeyLane** at = &buckets_[bucket_of(lane.order)];
    while (*at != &lane) at = &(*at)->next;
    *at = lane.next;
    --ordered_count_;
  }
  lane.next = std::exchange(free_, &lane);
}

void KeyLanes::put_off(const RecordRun& rest, Time due) noexcept {
  waiting_.push_back({.due = due, .lane = rest.lane});
  std::push_heap(waiting_.begin(), waiting_.end());
  put_in_front(rest);
}

void KeyLanes::put_back(const RecordRun& rest) noexcept {
  put_in_front(rest);
  give_back(*rest.lane);
}

void KeyLanes::put_in_front(const RecordRun& rest) noexcept {
  KeyLane& lane = *rest.lane;
  rest.last->next = lane.first;
  if (lane.first == nullptr) lane.last = rest.last;
  lane.first = rest.first;
}

std::optional<KeyLanes::Time> KeyLanes::next_due() const noexcept {
  return waiting_.empty() ? std::nullopt : std::optional<Time>(waiting_.front().due);
}

void KeyLanes::wake(Time now) noexcept {
  while (!waiting_.empty() && waiting_.front().due <= now) give_back(*take_waiting());
}

KeyLane* KeyLanes::take_waiting() noexcept {
  if (waiting_.empty()) return nullptr;
  KeyLane* const lane = waiting_.front().lane;
  std::pop_heap(waiting_.begin(), waiting_.end());
  waiting_.pop_back();
  return lane;
}

QueuedRecord* KeyLanes::empty(KeyLane& lane) noexcept { return std::exchange(lane.first, nullptr); }

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
