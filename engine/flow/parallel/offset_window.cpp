#include "flow/parallel/offset_window.hpp"

#include <algorithm>
#include <utility>

namespace seriatim {
inline namespace v0 {
namespace detail {

// Offsets come in their order.
bool OffsetWindow::is_known(Offset offset) {
  while (known_at_ < known_.ranges.size() && known_.ranges[known_at_].end <= offset) ++known_at_;
  return known_at_ < known_.ranges.size() && known_.ranges[known_at_].first <= offset;
}

PolledSlice& OffsetWindow::append(PolledSlice slice) {
  const Offset first = slice.records[0].offset;
  const Offset end = slice.records[slice.count - 1].offset + 1;
  items_.push_back({.first = first, .end = end, .slice = std::move(slice)});
  Item& item = items_.back();
  end_ = item.end;
  for (std::size_t i = 0; i < item.slice.count; ++i) {
    QueuedRecord& record = item.slice.records[i];
    record.slice = &item.slice;
    record.is_finished = is_known(record.offset);
    item.slice.unfinished += record.is_finished ? 0 : 1;
  }
  return item.slice;
}

void OffsetWindow::tidy(std::vector<std::shared_ptr<QueuedBatch>>& released) {
  const auto let_go = [&](Item& item) {
    if (item.is_live()) released.push_back(std::move(item.slice.batch));
    item.slice = {};
  };
  while (!items_.empty() && items_.front().is_finished()) {
    let_go(items_.front());
    items_.pop_front();
  }
  for (auto item = items_.begin(); item != items_.end(); ++item) {
    if (!item->is_finished()) continue;
    if (item->is_live()) {
      const QueuedRecord& last = item->slice.records[item->slice.count - 1];
      item->mark = {.offset = last.offset, .fingerprint = fingerprint_(last)};
      let_go(*item);
    }
    const auto before = std::prev(item);  // The first item is not finished.
    if (!before->is_finished()) continue;
    before->end = item->end;
    before->mark = item->mark;
    items_.erase(item);
    item = before;
  }
}

std::optional<Offset> OffsetWindow::position() const noexcept {
  for (const Item& item : items_) {
    for (std::size_t i = 0; i < item.slice.count; ++i) {
      if (!item.slice.records[i].is_finished) return item.slice.records[i].offset;
    }
  }
  return end_ < 0 ? std::nullopt : std::optional<Offset>(end_);
}

template <class Visit>
void OffsetWindow::visit_ranges(const Visit& visit) const {
  struct Open {
    OffsetRange range{};
    const QueuedRecord* last = nullptr;
    const FinishedMark* mark = nullptr;
  };
  // Not optional: of one g++ 12 says that it may be used before it is there.
  Open open;
  bool is_open = false;
  bool is_above = false;  // There is a record before it that is not finished.
  const auto extend = [&](const Open& by) {
    if (!is_above) return;
    const Offset first = is_open ? open.range.first : by.range.first;
    open = {.range = {first, by.range.end}, .last = by.last, .mark = by.mark};
    is_open = true;
  };
  const auto close = [&] {
    if (is_open) visit(open.range, open.last, open.mark);
    is_open = false;
  };
  for (const Item& item : items_) {
    if (!item.is_live()) extend({.range = {item.first, item.end}, .mark = &item.mark});
    for (std::size_t i = 0; i < item.slice.count; ++i) {
      const QueuedRecord& record = item.slice.records[i];
      if (record.is_finished) {
        extend({.range = {record.offset, record.offset + 1}, .last = &record});
      } else {
        close();
        is_above = true;
      }
    }
  }
  close();
}

FinishedRanges OffsetWindow::finished() const {
  FinishedRanges finished;
  const QueuedRecord* last = nullptr;
  const FinishedMark* mark = nullptr;
  visit_ranges([&](const OffsetRange& range, const QueuedRecord* record, const FinishedMark* of) {
    finished.ranges.push_back(range);
    last = record;
    mark = of;
  });
  if (last != nullptr) finished.mark = {.offset = last->offset, .fingerprint = fingerprint_(*last)};
  if (mark != nullptr) finished.mark = *mark;
  // Of those that have not been polled yet.
  for (std::size_t i = known_at_; i < known_.ranges.size(); ++i) {
    OffsetRange range = known_.ranges[i];
    range.first = std::max(range.first, end_);
    if (range.first >= range.end) continue;
    if (!finished.ranges.empty() && finished.ranges.back().end == range.first) {
      finished.ranges.back().end = range.end;
    } else {
      finished.ranges.push_back(range);
    }
    if (known_.mark.offset > finished.mark.offset) finished.mark = known_.mark;
  }
  return finished;
}

std::size_t OffsetWindow::range_count() const noexcept {
  std::size_t count = known_.ranges.size() - known_at_;
  visit_ranges([&](const OffsetRange&, const QueuedRecord*, const FinishedMark*) { ++count; });
  return count;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
