// How a tailing log looks at the directory of its partition, and at what the catalog says of it, while both
// are changed by another process.
#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "format/file_name.hpp"
#include "os/path.hpp"
#include "partition/tail/tailing_log.hpp"

namespace seriatim::partition {
namespace {

// How often deleted and compacted segments are looked for: they are in nobody's way. Arbitrary.
constexpr std::int64_t look_every_ns = 1'000'000'000;
// Files may come and go between the listing and their opening; that it happens this often in a row is no
// accident.
constexpr int tries_max = 5;
// A writer that exchanges segments by compacted ones needs a few renames and syncs for it. Arbitrary: a tenth
// of a second.
constexpr int swap_waits_max = 100;
constexpr std::chrono::milliseconds swap_wait{1};
// An exchange that takes longer has lost its writer; what it left is finished by the next one. Arbitrary: a
// slow disk takes a second for the syncs.
constexpr std::int64_t exchange_ns_max = 10'000'000'000;

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

}  // namespace

Result<> TailingLog::look_up_stored() {
  if (!look_up_) return {};
  auto stored = look_up_();
  if (!stored) return stored.error();
  if (!*stored) return {};
  stored_ = **stored;
  requested_start_ = std::max(requested_start_, stored_.log_start_offset);
  if (stored_.compacted_to_offset > 0) may_have_gaps_.store(true, std::memory_order_release);
  return {};
}

// A segment that was synced to the recovery point is there since before the catalog said so, and the catalog
// is read before the directory. Where the last segment is an earlier one, what came after it is lost.
segment::KnownEnd TailingLog::known_end_of_last(Offset base_offset) const {
  const Offset recovery_base = stored_.recovery_segment_base;
  if (base_offset > recovery_base || stored_.recovery_point_offset <= base_offset) return {};
  return {.position = base_offset == recovery_base ? stored_.recovery_position : 0,
          .offset = stored_.recovery_point_offset};
}

// Of a segment that another one follows. Sealed and synced before the recovery point could pass it, it is
// whole to the end of its file.
segment::KnownEnd TailingLog::known_end_of(const segment::SegmentFileInfo& file, Offset next_base) const {
  if (file.base_offset < stored_.recovery_segment_base)
    return {.position = file.log_bytes, .offset = next_base};
  if (file.base_offset > stored_.recovery_segment_base) return {};
  return {.position = stored_.recovery_position, .offset = stored_.recovery_point_offset};
}

Result<> TailingLog::look_at_directory(Patience patience) {
  if (is_deleted()) return {};
  next_look_ns_ = environment_.clock.monotonic_ns() + look_every_ns;
  if (auto looked_up = look_up_stored(); !looked_up) return looked_up;
  int waits = 0;
  // False: it has been waited for long enough.
  const auto has_waited = [&] {
    if (patience != Patience::waits || waits == swap_waits_max) return false;
    ++waits;
    std::this_thread::sleep_for(swap_wait);
    return true;
  };
  for (int tries = 1;; ++tries) {
    auto listing = list_files();
    Result<> outcome = listing ? Result<>() : Result<>(listing.error());
    if (listing && *listing) {
      const bool swaps = is_swapping(**listing);
      if (swaps) note_change();
      if (swaps && has_waited()) continue;
      if (swaps && active_ != nullptr) return {};  // The known segments stay until it is over.
      if (swaps) return exchange_error();
      outcome = take_listing(**listing);
    }
    if (outcome) changing_since_ns_.store(-1, std::memory_order_release);
    if (outcome || outcome.error().code() != Errc::not_found) return outcome;
    note_change();
    if (has_waited() || tries - waits < tries_max) continue;
    // It is not on its way: it is gone.
    const auto missing = listing && *listing ? find_missing_index(**listing, directory_) : std::nullopt;
    return missing ? Result<>(*missing) : outcome;
  }
}

void TailingLog::note_change() noexcept {
  if (changing_since_ns_.load(std::memory_order_relaxed) < 0)
    changing_since_ns_.store(environment_.clock.monotonic_ns(), std::memory_order_release);
}

bool TailingLog::is_changing() const noexcept {
  const std::int64_t since = changing_since_ns_.load(std::memory_order_acquire);
  return since >= 0 && environment_.clock.monotonic_ns() - since < exchange_ns_max;
}

Error TailingLog::exchange_error() const {
  return {Errc::not_found,
          directory_ +
              ": segments are being exchanged by compacted ones, or their writer died while "
              "it did that. Try again; if it stays so, open the directory for writing, which "
              "finishes the exchange"};
}

// Nullopt: there is nothing, not yet or not any more.
Result<std::optional<segment::DirectoryListing>> TailingLog::list_files() {
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
    if (!segments.empty()) {
      auto still = is_still_so(*listing);
      if (!still) return still.error();
      if (!*still) return Error(Errc::not_found, directory_ + " changed while it was listed; look again");
      return std::optional(*std::move(listing));
    }
  }
  if (active_ != nullptr) forget_partition();
  return std::optional<segment::DirectoryListing>();
}

// A listing is no snapshot: a file that is renamed meanwhile may be missing under both names. Segments that
// were begun since do not matter.
Result<bool> TailingLog::is_still_so(const segment::DirectoryListing& listing) const {
  auto entries = environment_.files.vfs.list(directory_);
  if (!entries) return entries.error();
  const auto& segments = listing.segments;
  std::size_t found = 0;
  bool swaps = false;
  for (const auto& entry : *entries) {
    const auto parsed = format::parse_file_name(entry.name);
    if (!parsed || parsed->kind != format::FileKind::log) continue;
    swaps = swaps || parsed->state == format::FileState::swap;
    if (parsed->state != format::FileState::live || parsed->offset > segments.back().base_offset) continue;
    const bool is_known = std::binary_search(
        segments.begin(), segments.end(), segment::SegmentFileInfo{.base_offset = parsed->offset},
        [](const auto& a, const auto& b) { return a.base_offset < b.base_offset; });
    if (!is_known) return false;
    ++found;
  }
  return found == segments.size() && swaps == is_swapping(listing);
}

void TailingLog::forget_partition() {
  mark_deleted();
  listeners().notify();
}

}  // namespace seriatim::partition
