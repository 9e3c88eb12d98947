#include "journal/frame_writer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.hpp"

namespace seriatim::journal {
namespace {

constexpr std::array<std::byte, format::journal_frame_alignment> padding{};
// Three pieces a large frame; groups of more of them than this are rare, and cost one allocation once.
constexpr std::size_t pieces_expected = std::size_t{3} * 256;
// How much the kernel is asked to write at a time. Arbitrary: half a millisecond of a fast disk, and some
// thousand commits.
constexpr std::uint64_t write_back_bytes = 1ULL << 20;

// The kernel may have taken a part of it and may not bring it to the disk: no later sync can be believed.
Error final_error(const Error& cause) {
  return {Errc::storage_failed, cause.message(), cause.sys_errno(), Outcome::unknown};
}

}  // namespace

FrameWriter::FrameWriter(const JournalOptions& options, JournalFiles& files)
    : options_(options), files_(files) {
  pieces_.reserve(pieces_expected);
}

FrameWriter::Extent FrameWriter::choose(const FrameQueue& frames, std::size_t first) const noexcept {
  const std::uint64_t bytes_max = std::min<std::uint64_t>(options_.group_bytes_max, frame_bytes_max());
  Extent extent{.first = first};
  for (std::size_t i = first; i < frames.size(); ++i) {
    const std::uint64_t bytes = frames[i].frame_bytes;
    if (extent.count > 0 && extent.bytes + bytes > bytes_max) break;
    extent.bytes += bytes;
    ++extent.count;
  }
  return extent;
}

Result<void> FrameWriter::roll() {
  if (map_.is_mapped()) map_.release_pages(written_back_, position_ - written_back_);  // see begin_write_back
  // Frames that were written and not synced would otherwise never be: a sync is of one file.
  if (auto synced = sync(); !synced) return synced;
  auto next = files_.take_next();
  if (!next) return std::move(next).error();
  if (options_.on_file_taken) options_.on_file_taken();
  file_ = *std::move(next);
  map_ = {};
  is_begun_ = false;
  position_ = written_back_ = 0;
  return {};
}

void FrameWriter::make_header(std::uint64_t first_lsn) {
  const format::JournalHeader header{.directory_id = options_.directory_id,
                                     .file_number = file_.number,
                                     .incarnation = options_.incarnation,
                                     .first_lsn = first_lsn,
                                     .file_bytes = options_.file_bytes};
  header_block_ = format::make_journal_header(header);
  key_ = format::journal_key(header);
}

void FrameWriter::add_piece(base::ByteSpan piece) {
  if (!pieces_.empty() && pieces_.back().data() + pieces_.back().size() == piece.data()) {
    pieces_.back() = base::ByteSpan(pieces_.back().data(), pieces_.back().size() + piece.size());
  } else {
    pieces_.push_back(piece);
  }
}

void FrameWriter::gather(FrameQueue& frames, const Extent& extent, const Group& group) {
  pieces_.clear();
  if (!is_begun_) pieces_.emplace_back(header_block_);
  std::uint64_t lsn = group.first_lsn;
  for (std::size_t i = extent.first; i < extent.first + extent.count; ++i, ++lsn) {
    const QueuedFrame& frame = frames[i];
    const bool is_flagged = group.prior_is_durable && lsn == group.first_lsn;
    const auto queued = frames.bytes_of(frame);
    format::seal_journal_frame(
        queued, frame.body,
        {frame.type, is_flagged ? format::journal_flag_prior_is_durable : std::uint16_t{0}, lsn}, key_,
        hash_);
    const std::uint64_t rest = frame.frame_bytes - queued.size() - frame.body.size();
    if (frame.pin) {
      add_piece(queued);
      add_piece(frame.body);
      if (rest > 0) add_piece(base::ByteSpan(padding).first(rest));
    } else {
      add_piece(base::ByteSpan(queued.data(), frame.frame_bytes));
    }
  }
}

bool FrameWriter::needs_another_file(const Extent& extent, const Group& group) const noexcept {
  const bool fits = position_ + extent.bytes <= options_.file_bytes;
  // A gap between two frames can only be between two files: the checkpoint has what was left out.
  const bool follows = !is_begun_ || group.first_lsn == next_lsn_;
  return file_.file == nullptr || !fits || !follows;
}

Result<std::size_t> FrameWriter::write(FrameQueue& frames, std::size_t first, const Group& group) {
  SERIATIM_ASSERT(first < frames.size());
  const Extent extent = choose(frames, first);
  if (needs_another_file(extent, group)) {
    if (auto rolled = roll(); !rolled) return std::move(rolled).error();
  }
  return write_here(frames, extent, group);
}

Result<std::size_t> FrameWriter::write_beside(FrameQueue& frames, std::size_t first, const Group& group) {
  SERIATIM_ASSERT(first < frames.size());
  const Extent extent = choose(frames, first);
  if (!is_begun_ || needs_another_file(extent, group)) return std::size_t{0};
  return write_here(frames, extent, group);
}

// A file that cannot be mapped is written.
os::Mapping* FrameWriter::mapping() {
  if (!map_.is_mapped()) {
    if (auto mapped = file_.file->map(options_.file_bytes, os::Access::read_write)) map_ = *std::move(mapped);
  }
  return map_.is_mapped() ? &map_ : nullptr;
}

// A store costs a tenth of a call; but the first one to a page that was synced faults, which costs three
// calls.
Result<void> FrameWriter::put(const Group& group) {
  const bool may_store = options_.mapped_writes && is_begun_ && !group.is_sync_wanted && is_unsynced_;
  os::Mapping* const map = may_store ? mapping() : nullptr;
  if (map == nullptr) return file_.file->write_gather_at(pieces_, position_);
  begin_write_back(*map);
  return map->store(pieces_, position_);
}

// Bytes that no commit syncs are synced by the step to the next file, with a commit waiting: so that little
// of it is left then. Pages that the kernel finds mapped it makes unwritable one by one, with an interrupt
// for each.
void FrameWriter::begin_write_back(const os::Mapping& map) noexcept {
  if (position_ < written_back_ + write_back_bytes) return;
  const std::uint64_t end = position_ - position_ % write_back_bytes;
  map.release_pages(written_back_, end - written_back_);
  file_.file->begin_write_back(written_back_, end - written_back_);
  written_back_ = end;
}

Result<std::size_t> FrameWriter::write_here(FrameQueue& frames, const Extent& extent, const Group& group) {
  if (!is_begun_) make_header(group.first_lsn);
  gather(frames, extent, group);
  if (auto written = put(group); !written) {
    if (written.error().code() == Errc::storage_full) return std::move(written).error();
    return final_error(written.error());
  }
  // A sync that runs beside has to find it behind the write, or leave it; else nobody looks at it meanwhile.
  if (group.is_beside_sync || !is_unsynced_.load(std::memory_order_relaxed)) is_unsynced_ = true;
  if (!is_begun_) {
    files_.begin(file_.number, group.first_lsn);
    is_begun_ = true;
    position_ = format::journal_frames_at;
  }
  position_ += extent.bytes;
  next_lsn_ = group.first_lsn + extent.count;
  files_.extend(next_lsn_ - 1, position_);
  return extent.count;
}

Result<void> FrameWriter::sync() {
  // Before the call: what is written beside it may not be in it.
  if (!is_unsynced_.exchange(false)) return {};
  syncs_.add();
  if (auto synced = file_.file->sync_data(); !synced) return final_error(synced.error());
  return {};
}

void FrameWriter::leave_below(std::uint64_t lsn) {
  if (!is_begun_ || next_lsn_ > lsn) return;
  files_.end();
  file_ = {};
  map_ = {};
  is_begun_ = false;
  is_unsynced_ = false;
  position_ = written_back_ = 0;
}

}  // namespace seriatim::journal
