// The appender's half of a segment: room ahead of the writer, indexes, sealing.
#include <array>
#include <cstring>
#include <utility>

#include "format/batch_layout.hpp"
#include "segment/segment.hpp"

namespace seriatim::segment {
namespace {

constexpr std::uint64_t page_bytes = 4096;

// How far a log file is allocated ahead: growing with the segment, so that idle topics cost little and busy
// ones few calls. Arbitrary within that.
constexpr std::uint64_t log_chunk_bytes_min = 1ULL << 20;
constexpr std::uint64_t log_chunk_bytes_max = 64ULL << 20;
// The length asked for instead when the disk cannot give a chunk.
constexpr std::uint64_t last_resort_bytes = 64 * 1024;

// How far pages are made present ahead of the writer. Measured with batches of 170 bytes and 16 KiB: 256 KiB
// costs as little per batch as 1 MiB and holds the appender for a quarter of the time; single pages cost more
// than no populate.
constexpr std::uint64_t populate_bytes_min = 16 * 1024;
constexpr std::uint64_t populate_bytes_max = 256 * 1024;

// Allocates [from, to). A failed attempt may have taken part of it: that is given back to whoever else needs
// the last blocks.
Result<> allocate_or_give_back(os::File& file, std::uint64_t from, std::uint64_t to) {
  auto allocated = file.allocate(from, to - from);
  if (allocated) return allocated;
  if (auto cut = file.truncate(from); !cut) {
    return allocated.error().with_context("and what was allocated could not be given back (" +
                                          cut.error().message() + ")");
  }
  return allocated;
}

}  // namespace

Result<> Segment::check_fits(std::uint64_t size) const {
  if (size <= size_limit_ && write_position_ <= size_limit_ - size) return {};
  return Error(Errc::record_too_large,
               "a batch of " + std::to_string(size) + " bytes does not fit at position " +
                   std::to_string(write_position_) + " of " + log_path_ +
                   ", which was opened with segment.bytes " + std::to_string(limits_.segment_bytes) +
                   ". Roll to a new segment, or send smaller batches.");
}

// Everything a store needs so that it can neither fault for long nor meet a full disk.
Result<> Segment::make_ready(std::uint64_t size) {
  if (auto fits = check_fits(size); !fits) return fits;
  const std::uint64_t end = write_position_ + size;
  ready_bytes_ = std::max(ready_bytes_, prefaulted_bytes_.load(std::memory_order_acquire));
  if (end > ready_bytes_) {
    if (auto allocated = ensure_allocated(end); !allocated) return allocated;
    if (auto populated = ensure_populated(end); !populated) return populated;
  }
  ask_ahead();
  return {};
}

Result<> Segment::ensure_allocated(std::uint64_t end) {
  if (end <= allocated_bytes_) return {};
  const Taking taking(context_.keeper);
  if (!taking.allowed()) return taking.allowed();
  if (next_chunk_bytes_ == 0)
    next_chunk_bytes_ = std::clamp(write_position_, log_chunk_bytes_min, log_chunk_bytes_max);
  auto file = context_.files.open(log_path_, os::OpenMode::read_write);
  if (!file) return std::move(file).error();
  has_exact_files_.store(false, std::memory_order_release);
  const std::uint64_t whole_segment = base::align_up(size_limit_, page_bytes);
  const std::uint64_t chunk_end =
      base::align_up(std::max(allocated_bytes_ + next_chunk_bytes_, end), page_bytes);
  const std::uint64_t wanted = std::min(chunk_end, whole_segment);
  auto allocated = allocate_or_give_back(**file, allocated_bytes_, wanted);
  if (allocated) {
    allocated_bytes_ = wanted;
    next_chunk_bytes_ = std::min(next_chunk_bytes_ * 2, log_chunk_bytes_max);
    return {};
  }
  const std::uint64_t needed = std::min(base::align_up(end, last_resort_bytes), whole_segment);
  if (allocated.error().code() != Errc::storage_full || needed >= wanted) return allocated;
  next_chunk_bytes_ = log_chunk_bytes_min;
  if (auto fitted = allocate_or_give_back(**file, allocated_bytes_, needed); !fitted) return fitted;
  allocated_bytes_ = needed;
  return {};
}

Result<> Segment::ensure_populated(std::uint64_t end) {
  // In proportion to what the segment holds: the pages of an idle topic would be memory and write-back for
  // nothing.
  const std::uint64_t ahead = std::clamp(write_position_, populate_bytes_min, populate_bytes_max);
  const std::uint64_t wanted = std::min(base::align_up(std::max(ready_bytes_ + ahead, end), page_bytes),
                                        std::min(allocated_bytes_, active_maps_->log.size()));
  if (auto populated = active_maps_->log.populate(ready_bytes_, wanted - ready_bytes_); !populated)
    return populated;
  ready_bytes_ = wanted;
  return {};
}

Result<PlacedBatch> Segment::place_unwritten(std::size_t size, const format::BatchHeader& header,
                                             Offset base_offset) {
  if (auto fits = check_fits(size); !fits) return std::move(fits).error();
  if (context_.keeper != nullptr) {
    if (auto allowed = context_.keeper->before_taking(); !allowed) return std::move(allowed).error();
  }
  return placed(size, header, base_offset);
}

Result<> Segment::write_placed(const PlacedBatch& placed, base::ByteSpan batch) {
  auto file = context_.files.open(log_path_, os::OpenMode::read_write);
  if (!file) return std::move(file).error();
  std::array<std::byte, format::crc_at> front;
  std::memcpy(front.data(), batch.data(), front.size());
  base::store_be(front.data() + format::base_offset_at, placed.base_offset);
  front[format::magic_at] = std::byte{format::batch_magic};
  const std::array<base::ByteSpan, 2> pieces{base::ByteSpan(front), batch.subspan(front.size())};
  if (has_exact_files_.load(std::memory_order_relaxed))
    has_exact_files_.store(false, std::memory_order_release);
  return (*file)->write_gather_at(pieces, placed.position);
}

Result<base::MutableByteSpan> Segment::reserve(std::uint64_t size) {
  if (!limits_.mapped_writes) {
    return Error(Errc::invalid_state, log_path_ +
                                          " is appended to with write calls; there is no memory to reserve. "
                                          "Frame the batch elsewhere and place it.");
  }
  if (write_position_ + size > attention_at_) {
    if (auto made = make_ready(size); !made) return std::move(made).error();
  }
  if (needs_index_entry()) {
    if (auto made = make_index_room(); !made) return std::move(made).error();
  }
  return base::MutableByteSpan(log_bytes_ + write_position_, size);
}

void Segment::erase_reserved(std::uint64_t size) noexcept {
  if (log_bytes_ != nullptr) std::memset(log_bytes_ + write_position_, 0, size);
}

Result<> Segment::roll_back(const PlacedBatch& batch) {
  if (log_bytes_ != nullptr) {
    std::memset(log_bytes_ + batch.position, 0, batch.size_bytes);
    return {};
  }
  // A failed write leaves no whole batch there. The next one takes its place, where it cannot be cut
  // off now, and recovery cuts what is behind that.
  auto file = context_.files.open(log_path_, os::OpenMode::read_write);
  if (file) static_cast<void>((*file)->truncate(batch.position));
  return {};
}

Result<> Segment::make_index_room() {
  if (auto made = active_maps_->offset_index.file().make_room(); !made) return made;
  return active_maps_->time_index.file().make_room();
}

Result<> Segment::stage_index_entries(const PlacedBatch& batch) {
  pending_.is_noted = false;
  if (auto staged = active_maps_->offset_index.stage(batch.last_offset, batch.position); !staged)
    return staged;
  auto staged = active_maps_->time_index.stage(pending_.timestamp);
  if (!staged) return std::move(staged).error();
  pending_.has_offset_entry = true;
  pending_.has_time_entry = *staged;
  pending_.is_noted = true;
  return {};
}

void Segment::commit_index_entries(const PlacedBatch& batch) noexcept {
  active_maps_->offset_index.commit();
  if (pending_.has_time_entry) active_maps_->time_index.commit();
  bytes_since_index_entry_ = batch.size_bytes;
}

Result<> Segment::seal() {
  if (is_sealed()) return {};
  auto has_closing_entry = trim_to_closing_entry();
  if (!has_closing_entry) return std::move(has_closing_entry).error();
  if (*has_closing_entry) active_maps_->time_index.commit();
  // A guard against stray stores of the host program. Where the kernel refuses it the segment is sealed all
  // the same: the files are exact, and nothing of ours stores any more.
  static_cast<void>(active_maps_->log.protect_read_only());
  static_cast<void>(active_maps_->offset_index.file().protect());
  static_cast<void>(active_maps_->time_index.file().protect());
  sealed_.store(true, std::memory_order_release);
  return {};
}

Result<> Segment::trim() {
  if (is_sealed()) return {};
  if (auto trimmed = trim_to_closing_entry(); !trimmed) return std::move(trimmed).error();
  return {};
}

// Ends the time index file with the segment's maximum. Staged only: were it counted and a step failed, or
// more appended after a trim, the segment would go on with an entry that no rebuild makes.
Result<bool> Segment::trim_to_closing_entry() {
  auto closing = active_maps_->time_index.stage(max_timestamp_);
  if (!closing) return closing;
  if (auto trimmed = trim_files(*closing ? 1 : 0); !trimmed) return std::move(trimmed).error();
  return closing;
}

Result<> Segment::trim_files(std::uint64_t staged_time_entries) {
  if (auto trimmed = active_maps_->offset_index.file().trim(); !trimmed) return trimmed;
  if (auto trimmed = active_maps_->time_index.file().trim(staged_time_entries); !trimmed) return trimmed;
  auto file = context_.files.open(log_path_, os::OpenMode::read_write);
  if (!file) return std::move(file).error();
  // Readers look at nothing behind the end, so the pages that go were nobody's.
  stop_prefaulting();
  allocated_bytes_ = ready_bytes_ = attention_at_ = write_position_;
  if (auto cut = (*file)->truncate(write_position_); !cut) return cut;
  needs_sync_.store(true, std::memory_order_release);
  has_exact_files_.store(true, std::memory_order_release);
  return {};
}

}  // namespace seriatim::segment
