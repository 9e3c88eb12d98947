#include "partition/follower.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "format/batch_layout.hpp"
#include "format/file_name.hpp"
#include "os/path.hpp"
#include "segment/index_file.hpp"

namespace seriatim::partition {
namespace {

using segment::OffsetGaps;
using segment::SegmentTail;

// How often deleted and compacted segments are looked for: they are in nobody's way. Arbitrary.
constexpr std::int64_t look_every_ns = 1'000'000'000;
// Files may come and go between the listing and their opening; that it happens this often in a row is no
// accident.
constexpr int tries_max = 5;
// A writer that exchanges segments by compacted ones needs a few renames and syncs for it. Arbitrary: a tenth
// of a second.
constexpr int swap_waits_max = 100;
constexpr std::chrono::milliseconds swap_wait{1};

// While it lasts, some offsets are under no final name. One that a crash left behind is finished by the next
// writer.
bool is_swapping(const segment::DirectoryListing& listing) {
  return std::any_of(listing.interrupted.begin(), listing.interrupted.end(), [](const std::string& name) {
    const auto parsed = format::parse_file_name(name);
    return parsed && parsed->state == format::FileState::swap;
  });
}

// The index that a log of the listing lacks, as an error.
std::optional<Error> find_missing_index(const segment::DirectoryListing& listing,
                                        const std::string& directory) {
  for (const segment::SegmentFileInfo& file : listing.segments) {
    if (file.has_offset_index && file.has_time_index) continue;
    const auto kind = file.has_offset_index ? format::FileKind::time_index : format::FileKind::offset_index;
    return segment::missing_index(os::join_path(directory, format::file_name(file.base_offset, kind)));
  }
  return std::nullopt;
}

std::string log_path(const std::string& directory, Offset base_offset) {
  return os::join_path(directory, format::file_name(base_offset, format::FileKind::log));
}

}  // namespace

Follower::Follower(const PartitionEnvironment& environment, const FollowerRequest& request)
    : PartitionLog(environment, request.name, request.directory), requested_start_(request.log_start_offset) {
  may_have_gaps_.store(request.may_have_gaps, std::memory_order_release);
}

Result<std::shared_ptr<Follower>> Follower::open(const PartitionEnvironment& environment,
                                                 const FollowerRequest& request) {
  std::shared_ptr<Follower> follower(new Follower(environment, request));
  const base::MutexLock lock(follower->mutex_);
  if (auto looked = follower->look_at_directory(Patience::waits); !looked) return looked.error();
  return follower;
}

Result<> Follower::refresh() {
  if (!mutex_.try_lock()) return {};
  auto outcome = [this]() SERIATIM_REQUIRES(mutex_) -> Result<> {
    if (active_ == nullptr || environment_.clock.monotonic_ns() >= next_look_ns_)
      return look_at_directory(Patience::none);
    auto extended = extend_active();
    if (!extended && extended.error().code() == Errc::not_found) return look_at_directory(Patience::none);
    return extended;
  }();
  mutex_.unlock();
  return outcome;
}

Result<> Follower::reload() {
  const base::MutexLock lock(mutex_);
  return look_at_directory(Patience::waits);
}

void Follower::set_log_start(Offset offset) noexcept {
  const base::MutexLock lock(mutex_);
  requested_start_ = std::max(requested_start_, offset);
  offsets_.advance_log_start(std::min(requested_start_, log_end_offset()));
}

Result<> Follower::look_at_directory(Patience patience) {
  if (is_deleted()) return {};
  next_look_ns_ = environment_.clock.monotonic_ns() + look_every_ns;
  int waits = 0;
  for (int tries = 1;; ++tries) {
    auto listing = list_files();
    Result<> outcome = listing ? Result<>() : Result<>(listing.error());
    if (listing && *listing) {
      const bool swaps = is_swapping(**listing);
      if (swaps && patience == Patience::waits && waits++ < swap_waits_max) {
        std::this_thread::sleep_for(swap_wait);
        continue;
      }
      if (swaps && active_ != nullptr) return {};  // What is known stays until it is over.
      outcome = take_listing(**listing);
    }
    if (outcome || outcome.error().code() != Errc::not_found) return outcome;
    if (tries - waits < tries_max) continue;
    // It is not on its way: it is gone.
    const auto missing = listing && *listing ? find_missing_index(**listing, directory_) : std::nullopt;
    return missing ? Result<>(*missing) : outcome;
  }
}

// Nullopt: there is nothing, not yet or not any more.
Result<std::optional<segment::DirectoryListing>> Follower::list_files() {
  auto& vfs = environment_.files.vfs;
  auto listing = segment::list_segments(vfs, directory_);
  if (!listing) {
    auto exists = vfs.exists(directory_);
    if (!exists) return exists.error();
    if (*exists) return listing.error();
  }
  if (listing) {
    // A writer makes the log first and its indexes then; it may have died in between.
    auto& segments = listing->segments;
    const auto is_unborn = [](const segment::SegmentFileInfo& file) {
      return file.log_bytes == 0 && !(file.has_offset_index && file.has_time_index);
    };
    if (!segments.empty() && is_unborn(segments.back())) segments.pop_back();
    if (!segments.empty()) return std::optional(*std::move(listing));
  }
  if (active_ != nullptr) forget_partition();
  return std::optional<segment::DirectoryListing>();
}

Result<> Follower::take_listing(const segment::DirectoryListing& listing) {
  const Offset last_base = listing.segments.back().base_offset;
  const bool has_rolled = tail_ && tail_->state().base_offset != last_base;
  if (has_rolled) {
    // What the writer put into the old segment before it began the next is there by now, since the next one
    // is.
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
  return publish(true);
}

namespace {

bool is_same_log(const segment::SegmentFileInfo& a, const segment::SegmentFileInfo& b) noexcept {
  return a.log_bytes == b.log_bytes && a.log_id == b.log_id && a.first_batch_crc == b.first_batch_crc;
}

}  // namespace

Result<std::vector<Follower::Known>> Follower::describe_older(
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

Result<> Follower::extend_last() {
  auto grown = tail_->advance();
  if (grown) {
    active_->extend_followed(tail_->state());
    return {};
  }
  // Nothing replaces a segment that is appended to: another partition has got the directory's name.
  if (grown.error().code() != Errc::not_found) return grown.error();
  forget_partition();
  return {};
}

Result<> Follower::open_last(Offset base_offset) {
  auto tail = SegmentTail::open(environment_.files, directory_, base_offset, OffsetGaps::none);
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

void Follower::forget_partition() {
  mark_deleted();
  listeners().notify();
}

Result<Follower::Known> Follower::describe(const segment::SegmentFileInfo& file, Offset next_base) {
  environment_.files.files.forget(log_path(directory_, file.base_offset));
  auto tail = SegmentTail::open(environment_.files, directory_, file.base_offset, OffsetGaps::allowed);
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
    known.segment = segment::Segment::sealed(environment_.files, environment_.maps, directory_, state);
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
Result<bool> Follower::has_bytes_at(Offset base_offset, std::uint64_t position) {
  // Not through the cache: a descriptor that is kept would go on showing a file that compaction has replaced.
  auto file = environment_.files.vfs.open(log_path(directory_, base_offset), os::OpenMode::read);
  if (!file) return file.error();
  std::array<std::byte, format::header_bytes> bytes{};
  auto read = (*file)->read_at(bytes, position);
  if (!read) return read.error();
  return std::any_of(bytes.begin(), bytes.end(), [](std::byte b) { return b != std::byte{0}; });
}

Result<> Follower::extend_active() {
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
Result<bool> Follower::enter_next_segment() {
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
  forget_ended();
  if (auto published = publish(true); !published) return published.error();
  return true;
}

Result<> Follower::publish(bool list_changed) {
  const Offset end = std::max(tail_->state().end_offset, log_end_offset());
  if (list_changed) {
    std::vector<segment::SegmentPtr> segments;
    segments.reserve(older_.size() + 1);
    for (const auto& known : older_) segments.push_back(known.segment);
    segments.push_back(active_);
    segments_.store(std::make_shared<const SegmentList>(std::move(segments)));
  }
  const Offset front = older_.empty() ? active_->base_offset() : older_.front().base_offset;
  // What is undecided before the end, so that nobody sees it as stable.
  if (auto noted = note_batches(end); !noted) return noted;
  const Offset first_open = producers_.first_open_offset();
  offsets_.held_back().set(first_open >= 0 ? first_open : HeldBack::nothing);
  // The list before the end: a reader that sees the end finds what lies below it.
  offsets_.publish_log_end(end);
  offsets_.advance_log_start(std::clamp(std::max(requested_start_, front), log_start_offset(), end));
  listeners().notify();
  return {};
}

}  // namespace seriatim::partition
