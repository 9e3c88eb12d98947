// Finding out what a segment holds: from the indexes where they can be believed, from the log behind them.
#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "format/batch_layout.hpp"
#include "format/file_name.hpp"
#include "format/index_entry.hpp"
#include "os/path.hpp"
#include "segment/index/index_builder.hpp"
#include "segment/index/index_bytes.hpp"
#include "segment/index/index_sanity.hpp"
#include "segment/recovery/bad_batch.hpp"
#include "segment/recovery/segment_recovery.hpp"
#include "segment/scan/batch_stream.hpp"

namespace seriatim::segment {
namespace {

using format::BatchFault;

// From where the log has to be walked, and what is known up to there.
struct StartingPoint {
  std::uint64_t position = 0;
  Offset lowest_offset = 0;
  std::uint64_t offset_entries = 0;
  std::uint64_t time_entries = 0;
  // The time entry by which the position was chosen: the walk has to bear it out.
  std::optional<format::TimeIndexEntry> chosen_by{};
};

// A time entry of zeros can be right, but more often is none.
bool is_zero(const std::vector<std::byte>& entry) noexcept {
  return !entry.empty() &&
         std::all_of(entry.begin(), entry.end(), [](std::byte b) { return b == std::byte{0}; });
}

class Scan {
 public:
  Scan(const SegmentContext& context, const RecoveryRequest& request)
      : context_(context),
        request_(request),
        builder_(request.base_offset, request.limits.index_interval_bytes) {}

  Result<RecoveredSegment> run();

 private:
  std::string path_of(format::FileKind kind) const {
    return os::join_path(request_.directory, format::file_name(request_.base_offset, kind));
  }
  Result<bool> start_from_synced_indexes();
  Result<> start_from_checked_indexes();
  StartingPoint choose_start() const;
  Result<bool> log_agrees(const format::OffsetIndexEntry& entry) const;
  SegmentState empty_state() const;
  Result<> walk();
  Result<> walk_again();
  void begin_anew();
  void note_time(const format::BatchHeader& header);
  void expect_time(const format::TimeIndexEntry& entry) noexcept;
  bool time_entry_fits() const;
  Result<bool> contain(BatchStream& stream, const BadBatch& bad);
  bool is_accepted(const BatchStream::Item& item) const;
  Result<bool> offsets_fit(const BatchStream::Item& item, Offset expected);
  void take(const BatchStream::Item& item);
  Result<> read_first_timestamp();
  bool are_indexes_right();
  bool is_right(const IndexBytes& index, base::ByteSpan entries) const;

  const SegmentContext& context_;
  const RecoveryRequest& request_;
  IndexBuilder builder_;
  std::shared_ptr<os::File> log_{};
  IndexBytes offsets_{};
  IndexBytes times_{};
  StartingPoint start_{};
  bool trusts_indexes_ = false;
  bool trusts_log_ = true;  // Below the durable position, without its checksums.
  Offset first_walked_offset_ = -1;
  std::optional<format::TimeIndexEntry> expected_time_{};  // Told by the index, to be met by the walk.
  bool confirms_time_ = false;
  bool knows_expected_ = false;  // Which offset comes next: not behind damage, nor where the walk begins.
  std::uint64_t scan_end_ = 0;
  RecoveredSegment found_{};
};

Result<RecoveredSegment> Scan::run() {
  auto log = context_.files.open(path_of(format::FileKind::log), os::OpenMode::read);
  if (!log) return std::move(log).error();
  log_ = std::move(*log);
  auto size = log_->size();
  if (!size) return std::move(size).error();
  found_.file_bytes = *size;
  scan_end_ = std::min(*size, segment_bytes_max);
  found_.state = empty_state();
  if (request_.durable_position < found_.file_bytes) {
    // The whole file: the kernel does not drop part of a large folio.
    auto dropped = log_->drop_cache(0, 0);
    if (!dropped) return std::move(dropped).error();
  }
  if (request_.indexes_synced) {
    auto started = start_from_synced_indexes();
    if (!started) return std::move(started).error();
    trusts_indexes_ = *started;
  }
  if (!trusts_indexes_) {
    if (auto started = start_from_checked_indexes(); !started) return std::move(started).error();
  }
  if (auto walked = walk(); !walked) return std::move(walked).error();
  if (!time_entry_fits() || !are_indexes_right()) {
    if (auto walked = walk_again(); !walked) return std::move(walked).error();
    found_.indexes_need_rebuild = !are_indexes_right();
  }
  if (auto read = read_first_timestamp(); !read) return std::move(read).error();
  found_.state.max_timestamp = builder_.max_timestamp();
  return found_;
}

// False: their ends make no sense, so they are not as they were synced.
Result<bool> Scan::start_from_synced_indexes() {
  auto offsets = read_index_end(context_, path_of(format::FileKind::offset_index), offset_entry_bytes);
  if (!offsets) return std::move(offsets).error();
  auto times = read_index_end(context_, path_of(format::FileKind::time_index), time_entry_bytes);
  if (!times) return std::move(times).error();
  if (!offsets->exists || !times->exists) return false;
  const bool are_sane =
      sane_offset_entries(offsets->bytes, scan_end_) * offset_entry_bytes == offsets->bytes.size() &&
      sane_time_entries(times->bytes) * time_entry_bytes == times->bytes.size() && !is_zero(times->bytes);
  if (!are_sane) return false;
  StartingPoint start{.lowest_offset = request_.base_offset,
                      .offset_entries = offsets->file_bytes / offset_entry_bytes,
                      .time_entries = times->file_bytes / time_entry_bytes};
  if (!offsets->bytes.empty()) {
    const auto last = format::load_offset_index_entry(offsets->bytes.data());
    auto agrees = log_agrees(last);
    if (!agrees || !*agrees) return agrees;
    start.position = static_cast<std::uint64_t>(last.position);
  }
  start_ = start;
  offsets_ = std::move(*offsets);
  times_ = std::move(*times);
  builder_.start_from(offsets_.bytes, times_.bytes);
  if (!times_.bytes.empty()) expect_time(format::load_time_index_entry(times_.bytes.data()));
  return true;
}

Result<> Scan::start_from_checked_indexes() {
  // More entries than the smallest batches would need cannot be right.
  const std::uint64_t entries_max = scan_end_ / format::header_bytes + 1;
  auto offsets =
      read_index_front(context_, path_of(format::FileKind::offset_index), offset_entry_bytes, entries_max);
  if (!offsets) return std::move(offsets).error();
  auto times =
      read_index_front(context_, path_of(format::FileKind::time_index), time_entry_bytes, entries_max);
  if (!times) return std::move(times).error();
  offsets_ = std::move(*offsets);
  times_ = std::move(*times);
  start_ = choose_start();
  if (start_.offset_entries > 0) {
    const auto* last = offsets_.bytes.data() + (start_.offset_entries - 1) * offset_entry_bytes;
    auto agrees = log_agrees(format::load_offset_index_entry(last));
    if (!agrees) return std::move(agrees).error();
    if (!*agrees) start_ = {.lowest_offset = request_.base_offset};
  }
  if (start_.chosen_by) expect_time(*start_.chosen_by);
  builder_.start_from(base::ByteSpan(offsets_.bytes).first(start_.offset_entries * offset_entry_bytes),
                      base::ByteSpan(times_.bytes).first(start_.time_entries * time_entry_bytes));
  return {};
}

// The moment before the last one at which both indexes are known to have been written. An index that lost its
// end in a power cut cannot be told from one that has no more entries, except by the other: a time entry was
// written together with the first offset entry at or behind its batch, so up to there neither has lost any.
// The moment before, so that the walk makes that last time entry again: an entry that was torn may look
// right.
StartingPoint Scan::choose_start() const {
  const StartingPoint front{.lowest_offset = request_.base_offset};
  const std::uint64_t durable = std::min(request_.durable_position, scan_end_);
  const std::uint64_t offset_count = sane_offset_entries(offsets_.bytes, durable);
  if (offset_count == 0) return front;
  const auto offset_entry = [this](std::uint64_t index) {
    return format::load_offset_index_entry(offsets_.bytes.data() + index * offset_entry_bytes);
  };
  const std::uint64_t time_count =
      sane_time_entries(times_.bytes, offset_entry(offset_count - 1).relative_offset);
  if (time_count == 0) return front;
  const auto last_time =
      format::load_time_index_entry(times_.bytes.data() + (time_count - 1) * time_entry_bytes);
  std::uint64_t low = 0;
  std::uint64_t high = offset_count - 1;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (offset_entry(middle).relative_offset < last_time.relative_offset) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return front;
  return {.position = static_cast<std::uint64_t>(offset_entry(low - 1).position),
          .lowest_offset = request_.base_offset,
          .offset_entries = low,
          .time_entries = time_count - 1,
          .chosen_by = last_time};
}

// Whether a batch begins where `entry` says and ends with its offset. Entries have no checksum of their own.
Result<bool> Scan::log_agrees(const format::OffsetIndexEntry& entry) const {
  BatchStream stream(*log_, static_cast<std::uint64_t>(entry.position), scan_end_, request_.base_offset);
  if (trusts_log_) stream.trust_crc_below(request_.durable_position);
  auto item = stream.next();
  if (!item) return std::move(item).error();
  return !item->at_end && item->fault == BatchFault::none &&
         item->header.last_offset() == request_.base_offset + entry.relative_offset;
}

SegmentState Scan::empty_state() const {
  return {.base_offset = request_.base_offset,
          .end_offset = request_.base_offset,
          .max_timestamp = {-1, request_.base_offset}};
}

void Scan::expect_time(const format::TimeIndexEntry& entry) noexcept {
  expected_time_ = entry;
  confirms_time_ = false;
  first_walked_offset_ = -1;
}

// Where the walk passes the batch of a time entry, that entry can be believed no more than the batch bears
// out: by the last one a segment is found, and judged too old. A walk that was begun by a time entry has to
// pass its batch, or it began too late: what is before it, with larger timestamps, was never seen. Damage in
// the log is no reason to doubt an entry of indexes that were synced.
bool Scan::time_entry_fits() const {
  if (!expected_time_ || confirms_time_) return true;
  if (!trusts_indexes_) return false;
  if (found_.contained_fault != BatchFault::none) return true;
  return request_.base_offset + expected_time_->relative_offset < first_walked_offset_;
}

// Log and indexes contradict each other: from here on a header counts only with its checksum, or a wrong bit
// of it would get into the indexes.
Result<> Scan::walk_again() {
  trusts_indexes_ = false;
  trusts_log_ = false;
  begin_anew();
  if (auto started = start_from_checked_indexes(); !started) return started;
  if (auto walked = walk(); !walked || time_entry_fits()) return walked;
  begin_anew();
  return walk();
}

// Nothing is known: the walk begins at the first batch, unless an index tells where else.
void Scan::begin_anew() {
  builder_ = IndexBuilder(request_.base_offset, request_.limits.index_interval_bytes);
  found_ = {.state = empty_state(), .file_bytes = found_.file_bytes};
  start_ = {.lowest_offset = request_.base_offset};
  expected_time_.reset();
}

void Scan::note_time(const format::BatchHeader& header) {
  if (!expected_time_) return;
  if (first_walked_offset_ < 0) first_walked_offset_ = header.base_offset;
  if (header.last_offset() == request_.base_offset + expected_time_->relative_offset)
    confirms_time_ = header.max_timestamp_ms == expected_time_->timestamp_ms;
}

Result<> Scan::walk() {
  BatchStream stream(*log_, start_.position, scan_end_, start_.lowest_offset);
  if (trusts_log_) stream.trust_crc_below(request_.durable_position);
  found_.state.end_position = start_.position;
  knows_expected_ = start_.position == 0;
  for (;;) {
    const Offset expected = stream.expected_offset();
    auto next = stream.next();
    if (!next) return std::move(next).error();
    BatchStream::Item item = *next;
    if (item.at_end) return {};
    if (item.fault == BatchFault::none) {
      auto fits = offsets_fit(item, expected);
      if (!fits) return std::move(fits).error();
      if (!*fits) item.fault = BatchFault::wrong_offset;
    }
    if (item.fault == BatchFault::none && !is_accepted(item)) item.fault = BatchFault::undecided;
    if (item.fault == BatchFault::none) {
      take(item);
      continue;
    }
    auto contained = contain(stream, {item.position, item.fault, expected, scan_end_});
    if (!contained) return std::move(contained).error();
    if (*contained) continue;
    found_.fault = item.fault;
    return {};
  }
}

void Scan::take(const BatchStream::Item& item) {
  builder_.note(item.position, item.header);
  note_time(item.header);
  knows_expected_ = true;
  found_.state.end_position = item.position + item.bytes.size();
  found_.state.end_offset = item.header.next_offset();
  if (item.position == 0) found_.state.first_timestamp_ms = item.header.max_timestamp_ms;
}

bool Scan::is_accepted(const BatchStream::Item& item) const {
  const bool is_asked =
      request_.accepts_control && item.header.is_control() && item.position >= request_.durable_position;
  return !is_asked || request_.accepts_control(item.header, item.bytes);
}

// Checks what the stream cannot know: the span an index can express, and whether a base offset above the
// expected one is a gap that compaction left or a flipped bit (the checksum does not cover it).
Result<bool> Scan::offsets_fit(const BatchStream::Item& item, Offset expected) {
  if (!offsets_are_possible(request_, item.position, item.header)) return false;
  const bool is_durable = item.position < request_.durable_position;
  if (item.header.base_offset < expected) return is_durable;
  const bool is_known = knows_expected_ && !request_.may_have_gaps;
  if (item.header.base_offset == expected || !is_known) return true;
  auto gap = is_gap(*log_, request_, item.position, item.header);
  if (gap && *gap) found_.has_gaps = true;
  return gap ? Result<bool>(*gap || is_durable) : gap;
}

Result<bool> Scan::contain(BatchStream& stream, const BadBatch& bad) {
  if (bad.fault == BatchFault::undecided) return false;
  auto go_on = pass_over(*log_, request_, bad);
  if (!go_on) return std::move(go_on).error();
  if (!*go_on) return false;
  if (found_.contained_fault == BatchFault::none) {
    found_.contained_fault = bad.fault;
    found_.contained_fault_position = bad.position;
  }
  found_.state.end_position = (*go_on)->position;
  found_.state.end_offset = std::max(found_.state.end_offset, (*go_on)->lowest_offset);
  stream.resume_at((*go_on)->position, found_.state.end_offset);
  knows_expected_ = (*go_on)->is_exact;
  return true;
}

Result<> Scan::read_first_timestamp() {
  if (start_.position == 0 || found_.state.end_position < format::header_bytes) return {};
  std::array<std::byte, format::header_bytes> bytes;
  auto read = log_->read_at(bytes, 0);
  if (!read) return std::move(read).error();
  const auto header = format::read_batch_header(bytes.data());
  // It only decides when to roll; damage there is told to whoever reads the batch.
  if (*read == bytes.size() && header.magic == format::batch_magic) {
    found_.state.first_timestamp_ms = header.max_timestamp_ms;
  }
  return {};
}

// Counts the entries that are right in the files as they are. False: they have to be rebuilt. Of an unsealed
// segment more bytes may follow: opening it for appending takes what was allocated ahead.
bool Scan::are_indexes_right() {
  SegmentState& state = found_.state;
  state.offset_index_entries = start_.offset_entries;
  state.time_index_entries = start_.time_entries;
  if (request_.is_sealed) builder_.close();
  const base::ByteSpan offsets = builder_.offset_entries();
  const base::ByteSpan times = builder_.time_entries();
  if (trusts_indexes_) return offsets.size() == offsets_.bytes.size() && times.size() == times_.bytes.size();
  if (!is_right(offsets_, offsets) || !is_right(times_, times)) return false;
  state.offset_index_entries = offsets.size() / offset_entry_bytes;
  state.time_index_entries = times.size() / time_entry_bytes;
  return true;
}

bool Scan::is_right(const IndexBytes& index, base::ByteSpan entries) const {
  if (!index.exists || index.bytes.size() < entries.size()) return false;
  if (request_.is_sealed && index.file_bytes != entries.size()) return false;
  return std::equal(entries.begin(), entries.end(), index.bytes.begin());
}

}  // namespace

Result<RecoveredSegment> scan_segment(const SegmentContext& context, const RecoveryRequest& request) {
  return Scan(context, request).run();
}

}  // namespace seriatim::segment
