#include "group/share/share_partition.hpp"

#include <algorithm>

#include "catalog/records/share_rows.hpp"
#include "group/share/share_storage.hpp"

namespace seriatim::group {

void ChangedSharePartitions::add(SharePartitionPtr partition) {
  const base::MutexLock lock(mutex_);
  partitions_.insert(std::move(partition));
}

void ChangedSharePartitions::move_to(std::set<SharePartitionPtr>& to) noexcept {
  const base::MutexLock lock(mutex_);
  to.merge(partitions_);
  partitions_.clear();  // It has these already.
}

bool ChangedSharePartitions::empty() const {
  const base::MutexLock lock(mutex_);
  return partitions_.empty();
}

SharePartition::SharePartition(SharePartitionEnvironment environment, std::string group, TopicPartition at,
                               const catalog::Id& topic_id)
    : environment_(std::move(environment)),
      group_(std::move(group)),
      at_(std::move(at)),
      topic_id_(topic_id),
      window_(Offset{0}),
      frame_{.group = group_, .topic_id = topic_id_, .partition = at_.partition} {}

bool SharePartition::has_begun() const {
  const base::MutexLock lock(mutex_);
  return has_begun_;
}

Result<> SharePartition::check_not_held() const {
  if (!is_held_) return {};
  return Error(Errc::invalid_state, "share group \"" + group_ + "\" is being deleted; retry when it is");
}

Result<> SharePartition::check_begun() const {
  if (auto free = check_not_held(); !free) return free;
  if (has_begun_) return {};
  return Error(Errc::invalid_record_state, "share group \"" + group_ + "\" has no progress in " + at_.topic +
                                               "-" + std::to_string(at_.partition) +
                                               ": it was forgotten, or not begun; begin it again");
}

Result<std::uint64_t> SharePartition::begin(Offset start_offset) {
  if (auto admitted = environment_.admit(); !admitted) return admitted.error();
  const base::MutexLock lock(mutex_);
  if (auto free = check_not_held(); !free) return free.error();
  if (has_begun_) return std::uint64_t{0};
  return put({.start_offset = start_offset});
}

Result<std::uint64_t> SharePartition::replace(const DeliveryProgress& progress) {
  if (auto admitted = environment_.admit(); !admitted) return admitted.error();
  const base::MutexLock lock(mutex_);
  if (auto free = check_not_held(); !free) return free.error();
  return put(progress);
}

Result<std::uint64_t> SharePartition::put(const DeliveryProgress& progress) {
  ShareWindow window(progress);
  frame_.kind = format::ShareProgressKind::replaced;
  frame_.start_offset = progress.start_offset;
  frame_.runs.clear();
  for (const DeliveredRun& run : progress.runs) frame_.runs.push_back(to_stored(run));
  auto lsn = stage();
  if (!lsn) return lsn;
  set_window(std::move(window), true, *lsn);
  return lsn;
}

Result<std::uint64_t> SharePartition::forget() {
  if (auto admitted = environment_.admit(); !admitted) return admitted.error();
  const base::MutexLock lock(mutex_);
  if (auto free = check_not_held(); !free) return free.error();
  if (!has_begun_) return std::uint64_t{0};
  frame_.kind = format::ShareProgressKind::forgotten;
  frame_.start_offset = -1;
  frame_.runs.clear();
  auto lsn = stage();
  if (!lsn) return lsn;
  set_window(ShareWindow(Offset{0}), false, *lsn);
  return lsn;
}

// All memory first: what is staged is applied.
Result<std::uint64_t> SharePartition::make(const ShareChange& change) {
  if (change.empty()) return std::uint64_t{0};
  window_.reserve(change);
  frame_.kind = format::ShareProgressKind::changed;
  frame_.start_offset = start_after(window_, change);
  collect_lasting(window_, change, frame_.start_offset, frame_.runs);
  std::uint64_t lsn = 0;
  if (!frame_.runs.empty() || frame_.start_offset > window_.start_offset()) {
    auto staged = stage();
    if (!staged) return staged;
    lsn = *staged;
    newest_lsn_ = lsn;
  }
  apply(change);
  return lsn;
}

// A checkpoint that has seen the frame staged finds the partition among the changed ones, and its row behind
// this mutex.
Result<std::uint64_t> SharePartition::stage() {
  note_change();
  format::encode_journal_share_progress(frame_, payload_);
  return environment_.journal->stage(
      journal::StagedFrame::encoded(format::JournalFrameType::share_progress, payload_));
}

void SharePartition::note_change() {
  if (is_changed_) return;
  environment_.changed.add(shared_from_this());
  is_changed_ = true;
}

void SharePartition::apply(const ShareChange& change) {
  const Offset start = window_.start_offset();
  const auto look_ms = window_.runs().earliest_ms();
  window_.apply(change);
  const auto next_look_ms = window_.runs().earliest_ms();
  const bool has_returned = std::any_of(change.runs.begin(), change.runs.end(), [](const WindowRun& run) {
    return run.delivered.state == DeliveryState::available;
  });
  // A member that sleeps already has chosen its time without this lock.
  const bool is_earlier = next_look_ms && (!look_ms || *next_look_ms < *look_ms);
  if (has_returned || is_earlier || window_.start_offset() > start) listeners_.tell();
}

void SharePartition::set_window(ShareWindow window, bool has_begun, std::uint64_t lsn) noexcept {
  window_ = std::move(window);
  has_begun_ = has_begun;
  newest_lsn_ = lsn;
  replaced_lsn_ = lsn;
  listeners_.tell();
}

void SharePartition::bury(std::span<const OffsetRun> dead, std::uint64_t lsn) {
  const base::MutexLock lock(mutex_);
  if (lsn < replaced_lsn_) return;
  const ShareChange change = window_.plan_buried(dead);
  if (change.empty()) return;
  window_.reserve(change);
  note_change();
  newest_lsn_ = std::max(newest_lsn_, lsn);
  apply(change);
}

void SharePartition::add_listener(std::shared_ptr<ShareListener> listener) {
  const base::MutexLock lock(mutex_);
  listeners_.add(std::move(listener));
}

void SharePartition::remove_listener(const std::shared_ptr<ShareListener>& listener) {
  const base::MutexLock lock(mutex_);
  listeners_.remove(listener);
}

void SharePartition::restore(const DeliveryProgress& stored) {
  const base::MutexLock lock(mutex_);
  window_ = ShareWindow(stored);
  has_begun_ = true;
}

void SharePartition::replay(const format::JournalShareProgress& told, std::uint64_t lsn) {
  const base::MutexLock lock(mutex_);
  note_change();
  newest_lsn_ = lsn;
  switch (told.kind) {
    case format::ShareProgressKind::changed:
      // A start offset that is as it was moves nothing.
      window_.replay(to_progress(told.start_offset, told.runs));
      has_begun_ = true;
      return;
    case format::ShareProgressKind::replaced:
      return set_window(ShareWindow(to_progress(told.start_offset, told.runs)), true, lsn);
    case format::ShareProgressKind::forgotten:
      return set_window(ShareWindow(Offset{0}), false, lsn);
  }
}

// In any state: the letters are in the log. Offsets that are not known were let go of since.
void SharePartition::replay_deaths(std::span<const format::ShareOffsets> dead, std::uint64_t lsn) {
  const base::MutexLock lock(mutex_);
  if (!has_begun_) return;
  note_change();
  newest_lsn_ = lsn;
  ShareChange change;
  for (const format::ShareOffsets& offsets : dead) {
    for (auto known = window_.runs().find(offsets.first); known != window_.runs().end(); ++known) {
      const OffsetRun both{std::max(known->first, offsets.first),
                           std::min(known->second.delivered.offsets.last, offsets.last)};
      if (both.first > both.last) break;
      change.runs.push_back({.delivered = {.offsets = both,
                                           .state = DeliveryState::archived,
                                           .delivery_count = known->second.delivered.delivery_count}});
    }
  }
  window_.reserve(change);
  window_.apply(change);
}

bool SharePartition::lower(Offset log_end) {
  const base::MutexLock lock(mutex_);
  if (!has_begun_ || window_.fresh_offset() <= log_end) return false;
  ShareWindow window(below(window_.progress(), log_end));
  note_change();
  window_ = std::move(window);
  return true;
}

void SharePartition::hold() {
  const base::MutexLock lock(mutex_);
  is_held_ = true;
  note_change();
}

void SharePartition::go_on() {
  const base::MutexLock lock(mutex_);
  is_held_ = false;
}

void SharePartition::end(std::uint64_t lsn) {
  const base::MutexLock lock(mutex_);
  is_held_ = false;
  set_window(ShareWindow(Offset{0}), false, lsn);
}

std::uint64_t SharePartition::gather(catalog::TableWrites& to) {
  const base::MutexLock lock(mutex_);
  if (has_begun_) {
    std::vector<std::byte> row;
    encode_share_row(window_.progress(), row);
    catalog::put_share_progress(to, group_, topic_id_, at_.partition, row);
  } else {
    catalog::forget_share_progress(to, group_, topic_id_, at_.partition);
  }
  is_changed_ = false;
  return newest_lsn_;
}

bool SharePartition::is_nothing() const {
  const base::MutexLock lock(mutex_);
  return !has_begun_ && !is_changed_;
}

}  // namespace seriatim::group
