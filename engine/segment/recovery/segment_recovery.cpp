// Making a segment right after a scan: cutting its tail, rebuilding its indexes.
#include "segment/recovery/segment_recovery.hpp"

#include <limits>
#include <utility>

#include "format/file_name.hpp"
#include "format/index_entry.hpp"
#include "os/file/small_file.hpp"
#include "os/path.hpp"
#include "segment/index/index_builder.hpp"
#include "segment/index/index_bytes.hpp"
#include "segment/recovery/bad_batch.hpp"
#include "segment/scan/batch_search.hpp"
#include "segment/scan/batch_stream.hpp"

namespace seriatim::segment {
namespace {

std::string path_of(const RecoveryRequest& request, format::FileKind kind) {
  return os::join_path(request.directory, format::file_name(request.base_offset, kind));
}

// Feeds the entries `state` says are right to `builder`; returns where the log has to be read from.
Result<std::uint64_t> start_builder(const SegmentContext& context, const RecoveryRequest& request,
                                    const SegmentState& state, IndexBuilder& builder) {
  if (state.offset_index_entries == 0) return std::uint64_t{0};
  auto offsets = read_index_front(context, path_of(request, format::FileKind::offset_index),
                                  offset_entry_bytes, state.offset_index_entries);
  if (!offsets) return std::move(offsets).error();
  auto times = read_index_front(context, path_of(request, format::FileKind::time_index), time_entry_bytes,
                                state.time_index_entries);
  if (!times) return std::move(times).error();
  const bool are_whole = offsets->bytes.size() == state.offset_index_entries * offset_entry_bytes &&
                         times->bytes.size() == state.time_index_entries * time_entry_bytes;
  if (!are_whole) return std::uint64_t{0};
  builder.start_from(offsets->bytes, times->bytes);
  const auto* last = offsets->bytes.data() + offsets->bytes.size() - offset_entry_bytes;
  return static_cast<std::uint32_t>(format::load_offset_index_entry(last).position);
}

Result<> replace_index(const SegmentContext& context, const std::string& path, base::ByteSpan entries) {
  if (auto replaced = os::replace_small_file(context.vfs, path, entries); !replaced) return replaced;
  context.files.forget(path);
  return {};
}

// Whether the base offset of a batch that is sound otherwise may be believed: it has no checksum. An entry
// with one that was flipped would stand above all that are appended later.
// @param expected  -1: it is not known.
Result<bool> is_in_place(os::File& log, const RecoveryRequest& request, const BatchStream::Item& item,
                         Offset expected) {
  const auto& header = item.header;
  if (!offsets_are_possible(request, item.position, header)) return false;
  if (expected < 0 || request.may_have_gaps || header.base_offset == expected) return true;
  return is_gap(log, request, item.position, header);
}

}  // namespace

Result<> erase_tail(const SegmentContext& context, const std::string& log_path, std::uint64_t end_position) {
  auto log = context.files.open(log_path, os::OpenMode::read_write);
  if (!log) return std::move(log).error();
  auto size = (*log)->size();
  if (!size) return std::move(size).error();
  // Cutting erases: what is allocated there again reads as zeros. It needs no space, as writing zeros might
  // on a disk that is full. The sync must stand before the next append, or the old bytes could come back
  // behind it.
  if (*size > end_position) {
    if (auto cut = (*log)->truncate(end_position); !cut) return cut;
  }
  return (*log)->sync_all();
}

Result<> rebuild_indexes(const SegmentContext& context, const RecoveryRequest& request, SegmentState& state) {
  auto log = context.files.open(path_of(request, format::FileKind::log), os::OpenMode::read);
  if (!log) return std::move(log).error();
  IndexBuilder builder(request.base_offset, request.limits.index_interval_bytes);
  auto start = start_builder(context, request, state, builder);
  if (!start) return std::move(start).error();
  BatchStream stream(**log, *start, state.end_position, request.base_offset);
  FileLogBytes bytes(**log);
  bool knows_expected = *start == 0;
  for (;;) {
    const Offset expected = stream.expected_offset();
    auto item = stream.next();
    if (!item) return std::move(item).error();
    if (item->at_end) break;
    const bool is_sound = item->fault == format::BatchFault::none;
    auto is_right =
        is_sound ? is_in_place(**log, request, *item, knows_expected ? expected : -1) : Result<bool>(false);
    if (!is_right) return is_right.error();
    if (*is_right) {
      builder.note(item->position, item->header);
      knows_expected = true;
      continue;
    }
    if (is_sound) {  // Whole, but for its base offset.
      stream.resume_at(item->position + item->bytes.size(), expected + item->header.last_offset_delta + 1);
      continue;
    }
    knows_expected = false;
    auto sound = find_sound_batch(bytes, {.fault_position = item->position,
                                          .end = state.end_position,
                                          .lowest_base = expected,
                                          .offsets_end = request.offsets_end});
    if (!sound) return std::move(sound).error();
    if (!*sound) break;
    stream.resume_at((*sound)->position, expected);
  }
  if (request.is_sealed) builder.close();
  const base::ByteSpan offsets = builder.offset_entries();
  const base::ByteSpan times = builder.time_entries();
  if (auto replaced = replace_index(context, path_of(request, format::FileKind::offset_index), offsets);
      !replaced) {
    return replaced;
  }
  if (auto replaced = replace_index(context, path_of(request, format::FileKind::time_index), times);
      !replaced) {
    return replaced;
  }
  state.offset_index_entries = offsets.size() / offset_entry_bytes;
  state.time_index_entries = times.size() / time_entry_bytes;
  return {};
}

}  // namespace seriatim::segment
