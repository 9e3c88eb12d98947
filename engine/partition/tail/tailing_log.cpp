#include "partition/tail/tailing_log.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "format/batch_layout.hpp"
#include "format/file_name.hpp"
#include "os/path.hpp"
#include "segment/index/index_file.hpp"

namespace seriatim::partition {
namespace {

using segment::OffsetGaps;
using segment::SegmentTail;

std::string log_path(const std::string& directory, Offset base_offset) {
  return os::join_path(directory, format::file_name(base_offset, format::FileKind::log));
}

}  // namespace

TailingLog::TailingLog(const PartitionEnvironment& environment, const TailingRequest& request)
    : PartitionLog(environment, request.name, request.directory), look_up_(request.stored) {
  may_have_gaps_.store(request.may_have_gaps, std::memory_order_release);
}

Result<std::shared_ptr<TailingLog>> TailingLog::open(const PartitionEnvironment& environment,
                                                     const TailingRequest& request) {
  std::shared_ptr<TailingLog> tailing(new TailingLog(environment, request));
  const base::MutexLock lock(tailing->mutex_);
  if (auto looked = tailing->look_at_directory(Patience::waits); !looked) return looked.error();
  return tailing;
}

Result<> TailingLog::refresh() {
  if (!mutex_.try_lock()) return {};
  auto outcome = [this]() SERIATIM_REQUIRES(mutex_) -> Result<> {
    if (active_ == nullptr || environment_.clock.monotonic_ns() >= next_look_ns_)
      return look_at_directory(Patience::none);
    auto extended = extend_active();
    if (!extended && extended.error().code() == Errc::not_found) return look_at_directory(Patience::none);
    return extended;
  }();
  // Known batches can be read all the same, and the next call looks again.
  const bool is_passing =
      !outcome && outcome.error().code() == Errc::not_found && active_ != nullptr && is_changing();
  if (is_passing) next_look_ns_ = 0;
  mutex_.unlock();
  return is_passing ? Result<>{} : outcome;
}

Result<> TailingLog::reload() {
  const base::MutexLock lock(mutex_);
  return look_at_directory(Patience::waits);
}

Result<> TailingLog::look_at_log_start() {
  const base::MutexLock lock(mutex_);
  if (auto looked_up = look_up_stored(); !looked_up) return looked_up;
  offsets_.advance_log_start(std::min(requested_start_, log_end_offset()));
  advance_durable(log_end_offset());
  return {};
}

Result<> TailingLog::take_listing(const segment::DirectoryListing& listing) {
  const Offset last_base = listing.segments.back().base_offset;
  const bool has_rolled = tail_ && tail_->state().base_offset != last_base;
  if (has_rolled) {
    // The batches that the writer put into the old segment before it began the next are there, since the next
    // one is.
    auto grown = tail_->advance();
    if (!grown && grown.error().code() != Errc::not_found) return grown.error();
    if (grown) active_->extend_followed(tail_->state());
  }
  auto older = describe_older(listing.segments);
  if (!older) return older.error();
  // A descriptor that was kept open would go on showing a file that is gone.
  environment_.files.files.forget(log_path(directory_, last_base));
  auto taken = tail_ && !has_rolled ? extend_last() : open_last(last_base);
  if (!taken) return taken;
  if (is_deleted()) return {};
  older_ = *std::move(older);
  begin_noting(listing.snapshots);
  if (auto published = publish(true); !published) return published;
  if (has_rolled && !older_.empty()) forget_ended(older_.back().base_offset);
  return {};
}

namespace {

bool is_same_log(const segment::SegmentFileInfo& a, const segment::SegmentFileInfo& b) noexcept {
  return a.log_bytes == b.log_bytes && a.log_id == b.log_id && a.first_batch_crc == b.first_batch_crc;
}

}  // namespace

Result<std::vector<TailingLog::Known>> TailingLog::describe_older(
    const std::vector<segment::SegmentFileInfo>& files) {
  std::vector<Known> older;
  for (std::size_t i = 0; i + 1 < files.size(); ++i) {
    const auto known = std::find_if(older_.begin(), older_.end(),
                                    [&](const Known& k) { return k.base_offset == files[i].base_offset; });
    const bool was_sealed = known != older_.end() && known->is_sealed;
    if (was_sealed && is_same_log(known->file, files[i])) {
      older.push_back(*known);
      continue;
    }
    if (was_sealed)
      may_have_gaps_.store(true, std::memory_order_release);  // only compaction replaces a sealed segment
    auto described = describe(files[i], files[i + 1].base_offset);
    if (!described) return described.error();
    older.push_back(*std::move(described));
  }
  return older;
}

Result<> TailingLog::extend_last() {
  tail_->note_known(known_end_of_last(active_->base_offset()));
  auto grown = tail_->advance(segment::BehindFault::look);
  if (grown) {
    active_->extend_followed(tail_->state());
    return {};
  }
  // Nothing replaces a segment that is appended to: another partition has got the directory's name.
  if (grown.error().code() != Errc::not_found) return grown.error();
  forget_partition();
  return {};
}

Result<> TailingLog::open_last(Offset base_offset) {
  auto tail = SegmentTail::open(environment_.files, directory_, base_offset, OffsetGaps::none,
                                known_end_of_last(base_offset));
  if (!tail) return tail.error();
  if (tail->state().end_offset <
      log_end_offset()) {  // As in extend_last: what was seen once does not go away.
    forget_partition();
    return {};
  }
  auto followed = segment::Segment::follow(environment_.files, environment_.maps, *tail);
  if (!followed) return followed.error();
  if (active_ != nullptr) active_->end_followed();
  tail_.emplace(*std::move(tail));
  active_ = *std::move(followed);
  return {};
}

Result<TailingLog::Known> TailingLog::describe(const segment::SegmentFileInfo& file, Offset next_base) {
  environment_.files.files.forget(log_path(directory_, file.base_offset));
  auto tail = SegmentTail::open(environment_.files, directory_, file.base_offset, OffsetGaps::allowed,
                                known_end_of(file, next_base));
  if (!tail) return tail.error();
  auto state = tail->state();
  // Compaction may have emptied the end of a segment: its successor's base is where it ends.
  state.end_offset = std::max(state.end_offset, next_base);
  // Only a writer that died, or is about to trim, leaves zeros behind the end of a segment that has a
  // successor. Anything else there is damage: kept in view, so that whoever reads so far is told.
  auto is_damaged = has_bytes_at(file.base_offset, state.end_position);
  if (!is_damaged) return is_damaged.error();
  if (*is_damaged) state.end_position = file.log_bytes;
  Known known{.base_offset = file.base_offset, .file = file, .is_sealed = tail->is_exact() || *is_damaged};
  if (known.is_sealed) {
    known.segment =
        segment::Segment::sealed(environment_.files, environment_.maps, directory_, state, tail->log_id());
    return known;
  }
  // Its writer is about to trim it, or died before it did.
  auto followed = segment::Segment::follow(environment_.files, environment_.maps, *tail);
  if (!followed) return followed.error();
  (*followed)->extend_followed(state);
  (*followed)->end_followed();
  known.segment = *std::move(followed);
  return known;
}

// Whether the log holds anything but zeros where a batch header would be.
Result<bool> TailingLog::has_bytes_at(Offset base_offset, std::uint64_t position) {
  // Not through the cache: a descriptor that is kept would go on showing a file that compaction has replaced.
  auto file = environment_.files.vfs.open(log_path(directory_, base_offset), os::OpenMode::read);
  if (!file) return file.error();
  std::array<std::byte, format::header_bytes> bytes{};
  auto read = (*file)->read_at(bytes, position);
  if (!read) return read.error();
  return std::any_of(bytes.begin(), bytes.end(), [](std::byte b) { return b != std::byte{0}; });
}

Result<> TailingLog::extend_active() {
  for (;;) {
    // Asked first: once the next segment is there, this one is complete.
    bool has_next = false;
    const Offset end = tail_->state().end_offset;
    if (!active_->is_empty()) {
      auto exists = environment_.files.vfs.exists(log_path(directory_, end));
      if (!exists) return exists.error();
      has_next = *exists;
    }
    auto grown = tail_->advance();
    if (!grown) return grown.error();
    if (*grown) {
      active_->extend_followed(tail_->state());
      if (auto published = publish(false); !published) return published;
    }
    if (!has_next || tail_->state().end_offset != end) {
      if (!*grown) return {};
      continue;
    }
    auto entered = enter_next_segment();
    if (!entered) return entered.error();
    if (!*entered) return {};
  }
}

// False: the writer is still making it.
Result<bool> TailingLog::enter_next_segment() {
  const Offset base_offset = tail_->state().end_offset;
  auto tail = SegmentTail::open(environment_.files, directory_, base_offset, OffsetGaps::none);
  if (!tail && tail.error().code() == Errc::not_found) return false;
  if (!tail) return tail.error();
  auto followed = segment::Segment::follow(environment_.files, environment_.maps, *tail);
  if (!followed) return followed.error();
  // Readers see that it ended before they look for its successor, and find that in the list or look again.
  active_->end_followed();
  older_.push_back(
      {.base_offset = active_->base_offset(), .file = {.log_id = tail_->log_id()}, .segment = active_});
  tail_.emplace(*std::move(tail));
  active_ = *std::move(followed);
  forget_ended(older_.back().base_offset);
  if (auto published = publish(true); !published) return published.error();
  return true;
}

Result<> TailingLog::publish(bool list_changed) {
  const Offset end = std::max(tail_->state().end_offset, log_end_offset());
  if (list_changed) {
    std::vector<segment::SegmentPtr> segments;
    segments.reserve(older_.size() + 1);
    for (const auto& known : older_) segments.push_back(known.segment);
    segments.push_back(active_);
    segments_.store(std::make_shared<const SegmentList>(std::move(segments)));
  }
  const Offset front = older_.empty() ? active_->base_offset() : older_.front().base_offset;
  // Undecided transactions before the end are noted, so that nobody sees them as stable.
  if (auto noted = note_batches(end); !noted) return noted;
  const Offset first_open = producers_.first_open_offset();
  offsets_.held_back().set(first_open >= 0 ? first_open : UnstableTransactions::nothing);
  // The list before the end: a reader that sees the end finds what lies below it.
  offsets_.publish_log_end(end);
  advance_durable(end);
  offsets_.advance_log_start(std::clamp(std::max(requested_start_, front), log_start_offset(), end));
  listeners().notify();
  return {};
}

}  // namespace seriatim::partition
