#include "segment/segment_tail.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "format/file_name.hpp"
#include "os/path.hpp"
#include "segment/index/index_bytes.hpp"
#include "segment/index/index_sanity.hpp"
#include "segment/scan/batch_search.hpp"
#include "segment/scan/batch_stream.hpp"

namespace seriatim::segment {
namespace {

using format::BatchFault;
using format::FileKind;

// Log bytes after which new index entries are looked for: Kafka's default index.interval.bytes.
constexpr std::uint64_t index_look_bytes = 4096;
constexpr std::size_t entries_per_read = 512;  // arbitrary

// The whole entries of `index` in [first, first + count) that are there.
Result<std::vector<std::byte>> read_entries(os::File& index, std::size_t entry_bytes, std::uint64_t first,
                                            std::uint64_t count) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(count * entry_bytes));
  auto read = index.read_at(bytes, first * entry_bytes);
  if (!read) return read.error();
  bytes.resize(*read / entry_bytes * entry_bytes);
  return bytes;
}

// Whether the log holds anything but zeros where a batch header would be.
Result<bool> has_bytes_at(os::File& log, std::uint64_t position) {
  std::array<std::byte, format::header_bytes> bytes{};
  auto read = log.read_at(bytes, position);
  if (!read) return read.error();
  return std::any_of(bytes.begin(), bytes.end(), [](std::byte b) { return b != std::byte{0}; });
}

}  // namespace

SegmentTail::SegmentTail(const SegmentContext& context, const std::string& directory, Offset base_offset)
    : context_(context) {
  log_.path = os::join_path(directory, format::file_name(base_offset, FileKind::log));
  offset_index_.path = os::join_path(directory, format::file_name(base_offset, FileKind::offset_index));
  time_index_.path = os::join_path(directory, format::file_name(base_offset, FileKind::time_index));
  state_ = {.base_offset = base_offset, .end_offset = base_offset, .max_timestamp = {-1, base_offset}};
}

Result<SegmentTail> SegmentTail::open(const SegmentContext& context, const std::string& directory,
                                      Offset base_offset, OffsetGaps gaps, const KnownEnd& known) {
  SegmentTail tail(context, directory, base_offset);
  tail.gaps_ = gaps;
  tail.known_ = known;
  if (auto found = tail.find_end(); !found) return found.error();
  tail.gaps_ = OffsetGaps::none;  // An active segment was never compacted.
  return tail;
}

void SegmentTail::note_known(const KnownEnd& known) noexcept {
  if (known.position > known_.position) known_.position = known.position;
  if (known.offset > known_.offset) known_.offset = known.offset;
}

Result<> SegmentTail::find_end() {
  auto log = context_.files.open(log_.path, os::OpenMode::read);
  if (!log) return log.error();
  auto offsets = context_.vfs.open(offset_index_.path, os::OpenMode::read);
  if (!offsets) return offsets.error();
  auto times = context_.vfs.open(time_index_.path, os::OpenMode::read);
  if (!times) return times.error();
  const std::array<std::pair<Watched*, os::File*>, 3> files{
      {{&log_, log->get()}, {&offset_index_, offsets->get()}, {&time_index_, times->get()}}};
  for (const auto& [watched, file] : files) {
    auto id = file->id();
    if (!id) return id.error();
    watched->id = *id;
  }
  auto log_bytes = (*log)->size();
  if (!log_bytes) return log_bytes.error();
  if (auto started = find_start(**log, *log_bytes, **offsets); !started) return started;
  if (auto walked = walk(**log, *log_bytes, BehindFault::look); !walked) return walked.error();
  // The last entry's batch may have been the damaged one; those before it were not counted one by one.
  if (has_damage_) {
    if (auto counted = count_offset_entries(**offsets); !counted) return counted;
  }
  if (auto counted = find_time_entries(**times); !counted) return counted;
  indexes_read_at_ = state_.end_position;
  auto offset_bytes = (*offsets)->size();
  if (!offset_bytes) return offset_bytes.error();
  auto time_bytes = (*times)->size();
  if (!time_bytes) return time_bytes.error();
  is_exact_ = state_.end_position == *log_bytes &&
              state_.offset_index_entries * offset_entry_bytes == *offset_bytes &&
              state_.time_index_entries * time_entry_bytes == *time_bytes;
  return {};
}

Result<> SegmentTail::check_same(const Watched& watched, os::File& file) const {
  auto id = file.id();
  if (!id) return id.error();
  if (*id == watched.id) return {};
  context_.files.forget(watched.path);
  return Error(Errc::not_found, watched.path + " was replaced by another file; look the segments up again");
}

Result<SegmentTail::FilePtr> SegmentTail::open_log() const {
  auto file = context_.files.open(log_.path, os::OpenMode::read);
  if (!file) return file;
  if (auto same = check_same(log_, **file); !same) return same.error();
  return file;
}

Result<SegmentTail::FilePtr> SegmentTail::open_index(const Watched& watched) const {
  auto file = context_.vfs.open(watched.path, os::OpenMode::read);
  if (!file) return file.error();
  if (auto same = check_same(watched, **file); !same) return same.error();
  return FilePtr(*std::move(file));
}

// Begins at the last index entry that its batch confirms. Of a sealed segment that is the last one of the
// file; an active one has zeros behind it, and a damaged one anything.
Result<> SegmentTail::find_start(os::File& log, std::uint64_t log_bytes, os::File& index) {
  auto index_bytes = index.size();
  if (!index_bytes) return index_bytes.error();
  const std::uint64_t entry_count = *index_bytes / offset_entry_bytes;
  if (entry_count == 0) return {};
  auto last = read_entries(index, offset_entry_bytes, entry_count - 1, 1);
  if (!last) return last.error();
  state_.offset_index_entries = entry_count;
  if (!last->empty()) {
    auto started = start_at(log, log_bytes, format::load_offset_index_entry(last->data()));
    if (!started) return started.error();
    if (*started) return {};
  }
  // More entries than the smallest batches would need cannot be right.
  auto front =
      read_entries(index, offset_entry_bytes, 0, std::min(entry_count, log_bytes / format::header_bytes + 1));
  if (!front) return front.error();
  std::uint64_t sane = sane_offset_entries(*front, log_bytes);
  for (; sane > 0; sane /= 2) {
    auto started = start_at(log, log_bytes,
                            format::load_offset_index_entry(front->data() + (sane - 1) * offset_entry_bytes));
    if (!started) return started.error();
    if (*started) break;
  }
  state_.offset_index_entries = sane;
  return {};
}

// False: no batch is there that ends as the entry says. An index has no checksum, the batch has.
Result<bool> SegmentTail::start_at(os::File& log, std::uint64_t log_bytes,
                                   const format::OffsetIndexEntry& entry) {
  if (entry.position <= 0 || entry.relative_offset <= 0 ||
      static_cast<std::uint64_t>(entry.position) >= log_bytes)
    return false;
  BatchStream stream(log, static_cast<std::uint64_t>(entry.position), log_bytes, state_.base_offset);
  auto item = stream.next();
  if (!item) return item.error();
  if (item->at_end || item->fault != BatchFault::none) return false;
  if (item->header.last_offset() != state_.base_offset + entry.relative_offset) return false;
  state_.end_position = item->position;
  state_.end_offset = item->header.base_offset;
  last_offset_entry_ = entry;
  return true;
}

Result<bool> SegmentTail::walk(os::File& log, std::uint64_t log_bytes, BehindFault behind) {
  const std::uint64_t position_before = state_.end_position;
  const Offset offset_before = state_.end_offset;
  for (;;) {
    if (auto walked = walk_to_fault(log, log_bytes); !walked) return walked.error();
    if (behind == BehindFault::stay) break;
    auto passed = pass_over_fault(log, log_bytes);
    if (!passed) return passed.error();
    if (!*passed) break;
  }
  return state_.end_position != position_before || state_.end_offset != offset_before;
}

Result<> SegmentTail::walk_to_fault(os::File& log, std::uint64_t log_bytes) {
  BatchStream stream(log, state_.end_position, log_bytes, state_.end_offset);
  for (;;) {
    auto item = stream.next();
    if (!item) return item.error();
    if (!is_next(*item)) return {};
    take(item->position, item->header);
  }
}

bool SegmentTail::is_next(const BatchStream::Item& item) const noexcept {
  if (item.at_end || item.fault != BatchFault::none) return false;
  return gaps_ == OffsetGaps::allowed || item.header.base_offset == state_.end_offset;
}

void SegmentTail::take(std::uint64_t position, const format::BatchHeader& header) noexcept {
  if (position == 0) state_.first_timestamp_ms = header.max_timestamp_ms;
  if (header.max_timestamp_ms > state_.max_timestamp.timestamp_ms) {
    state_.max_timestamp = {header.max_timestamp_ms, header.last_offset()};
  }
  state_.end_position = position + header.size_bytes();
  state_.end_offset = header.next_offset();
}

// At the end stands something that is not the next batch. True: it is damage, and the end is moved behind it.
Result<bool> SegmentTail::pass_over_fault(os::File& log, std::uint64_t log_bytes) {
  const std::uint64_t position = state_.end_position;
  const bool is_below_known = position < known_.position || state_.end_offset < known_.offset;
  auto is_used = is_below_known ? Result<bool>(true) : has_bytes_at(log, position);
  if (!is_used || !*is_used) return is_used;
  FileLogBytes bytes(log);
  auto found = find_sound_batch(
      bytes, {.fault_position = position, .end = log_bytes, .lowest_base = state_.end_offset + 1});
  if (!found) return found.error();
  if (*found) {
    // The writer may have finished the batch at the end, and the one behind it, since we looked.
    BatchStream again(log, position, log_bytes, state_.end_offset);
    auto item = again.next();
    if (!item) return item.error();
    if (is_next(*item)) return true;
    has_damage_ = true;
    state_.end_position = (*found)->position;
    state_.end_offset = (*found)->header.base_offset;
    return true;
  }
  if (!is_below_known) return false;
  // Never beyond the file, whatever was there: a map is touched up to the end.
  const std::uint64_t end_position = std::max(position, std::min(known_.position, log_bytes));
  const bool has_moved = end_position != position;
  has_damage_ = has_damage_ || has_moved;
  state_.end_position = end_position;
  state_.end_offset = std::max(state_.end_offset, known_.offset);
  return has_moved;
}

Result<> SegmentTail::find_time_entries(os::File& index) {
  auto index_bytes = index.size();
  if (!index_bytes) return index_bytes.error();
  const std::uint64_t entry_count = *index_bytes / time_entry_bytes;
  if (entry_count == 0) return {};
  auto last = read_entries(index, time_entry_bytes, entry_count - 1, 1);
  if (!last) return last.error();
  const auto is_right = [this](const format::TimeIndexEntry& entry) {
    return entry.timestamp_ms > 0 && entry.relative_offset >= 0 &&
           state_.base_offset + entry.relative_offset < state_.end_offset;
  };
  if (!last->empty() && is_right(format::load_time_index_entry(last->data()))) {
    state_.time_index_entries = entry_count;
    last_time_entry_ = format::load_time_index_entry(last->data());
  } else if (auto counted = count_time_entries(index); !counted) {
    return counted;
  }
  // On equal timestamps the index has the earlier batch.
  if (state_.time_index_entries > 0 && last_time_entry_.timestamp_ms >= state_.max_timestamp.timestamp_ms) {
    state_.max_timestamp = {last_time_entry_.timestamp_ms,
                            state_.base_offset + last_time_entry_.relative_offset};
  }
  return {};
}

Result<> SegmentTail::count_time_entries(os::File& index) {
  for (;;) {
    auto bytes = read_entries(index, time_entry_bytes, state_.time_index_entries, entries_per_read);
    if (!bytes) return bytes.error();
    std::size_t at = 0;
    for (; at < bytes->size(); at += time_entry_bytes) {
      const auto entry = format::load_time_index_entry(bytes->data() + at);
      if (entry.timestamp_ms <= last_time_entry_.timestamp_ms ||
          entry.relative_offset < last_time_entry_.relative_offset)
        break;
      if (state_.base_offset + entry.relative_offset >= state_.end_offset) break;
      last_time_entry_ = entry;
      ++state_.time_index_entries;
    }
    if (at < entries_per_read * time_entry_bytes) return {};
  }
}

Result<> SegmentTail::count_offset_entries(os::File& index) {
  for (;;) {
    auto bytes = read_entries(index, offset_entry_bytes, state_.offset_index_entries, entries_per_read);
    if (!bytes) return bytes.error();
    std::size_t at = 0;
    for (; at < bytes->size(); at += offset_entry_bytes) {
      const auto entry = format::load_offset_index_entry(bytes->data() + at);
      if (entry.relative_offset <= last_offset_entry_.relative_offset ||
          entry.position <= last_offset_entry_.position)
        break;
      if (static_cast<std::uint64_t>(entry.position) >= state_.end_position) break;
      if (state_.base_offset + entry.relative_offset >= state_.end_offset) break;
      last_offset_entry_ = entry;
      ++state_.offset_index_entries;
    }
    if (at < entries_per_read * offset_entry_bytes) return {};
  }
}

// Whether it is worth walking: most looks find that nothing has happened.
Result<bool> SegmentTail::may_have_grown(os::File& log, std::uint64_t log_bytes, BehindFault behind) const {
  const bool looks_behind = behind == BehindFault::look;
  if (looks_behind && (state_.end_position < known_.position || state_.end_offset < known_.offset))
    return true;
  if (log_bytes < state_.end_position + format::header_bytes) return false;
  std::array<std::byte, format::header_bytes> bytes;
  auto read = log.read_at(bytes, state_.end_position);
  if (!read) return read.error();
  if (*read < bytes.size()) return false;
  if (looks_behind)
    return std::any_of(bytes.begin(), bytes.end(), [](std::byte b) { return b != std::byte{0}; });
  const auto header = format::read_batch_header(bytes.data());
  return header.base_offset == state_.end_offset && header.length >= format::length_min &&
         header.magic == format::batch_magic;
}

Result<bool> SegmentTail::advance(BehindFault behind) {
  auto log = open_log();
  if (!log) return log.error();
  auto log_bytes = (*log)->size();
  if (!log_bytes) return log_bytes.error();
  auto worth = may_have_grown(**log, *log_bytes, behind);
  if (!worth || !*worth) return worth;
  auto grown = walk(**log, *log_bytes, behind);
  if (!grown || !*grown) return grown;
  if (state_.end_position - indexes_read_at_ < index_look_bytes) return true;
  indexes_read_at_ = state_.end_position;
  // An index that was replaced by a rebuilt one is followed no further; the log is walked instead, which is
  // slower and no less right.
  auto offsets = open_index(offset_index_);
  auto times = open_index(time_index_);
  if (offsets) {
    if (auto counted = count_offset_entries(**offsets); !counted) return counted.error();
  }
  if (times) {
    if (auto counted = count_time_entries(**times); !counted) return counted.error();
  }
  return true;
}

}  // namespace seriatim::segment
