// Making the files of a segment that is appended to, its indexes, and sealing. Room ahead is log_room.cpp.
#include "segment/segment_writer.hpp"

#include <array>
#include <utility>

#include "base/boundary.hpp"
#include "format/batch_layout.hpp"
#include "format/index_entry.hpp"

namespace seriatim::segment {
namespace {

// Whether the time index ends as a clean close leaves it, with an entry that a segment that goes on does not
// have: every other one was made together with an offset index entry, at or above its offset.
bool ends_with_closing_entry(const IndexFile& offsets, const IndexFile& times) noexcept {
  if (times.count() == 0) return false;
  const auto time = format::load_time_index_entry(times.entry(times.count() - 1));
  if (offsets.count() == 0) return true;
  const auto offset = format::load_offset_index_entry(offsets.entry(offsets.count() - 1));
  return time.relative_offset > offset.relative_offset;
}

Result<SegmentMaps> map_active(const NamedFiles& files, const SegmentState& state,
                               const SegmentLimits& limits) {
  const SegmentContext& context = files.context();
  auto log = context.files.open(files.log_path(), os::OpenMode::read_write);
  if (!log) return std::move(log).error();
  auto size = (*log)->size();
  if (!size) return std::move(size).error();
  if (*size < state.end_position) return shorter_than_known(files.log_path(), *size, state.end_position);
  if (*size > state.end_position) {
    return Error(Errc::invalid_state, files.log_path() + " has " +
                                          std::to_string(*size - state.end_position) +
                                          " bytes behind its end at " + std::to_string(state.end_position) +
                                          "; erase the tail before opening it for appending");
  }
  const auto access = limits.mapped_writes ? os::Access::read_write : os::Access::read;
  const std::uint64_t size_limit = std::min(limits.segment_bytes, segment_bytes_max);
  auto map = (*log)->map(std::max<std::uint64_t>({size_limit, state.end_position, 1}), access);
  if (!map) return std::move(map).error();
  IndexShape shape{OffsetIndex::entry_bytes, limits.index_bytes, limits.mapped_writes};
  auto offsets =
      IndexFile::open_active(context, files.offset_index_path(), shape, state.offset_index_entries);
  if (!offsets) return std::move(offsets).error();
  shape.entry_bytes = TimeIndex::entry_bytes;
  auto times = IndexFile::open_active(context, files.time_index_path(), shape, state.time_index_entries);
  if (!times) return std::move(times).error();
  // It stays in the file, since other processes may have it in their maps, until another entry takes its
  // place.
  if (ends_with_closing_entry(**offsets, **times)) (*times)->uncount_last();
  return SegmentMaps{std::move(*map), OffsetIndex(state.base_offset, std::move(*offsets)),
                     TimeIndex(state.base_offset, std::move(*times))};
}

}  // namespace

SegmentWriter::SegmentWriter(SegmentPtr segment, SegmentMaps& maps, const SegmentLimits& limits,
                             const SegmentState& state) noexcept
    : end_(segment->writer_parts().end),
      base_offset_(state.base_offset),
      active_maps_(&maps),
      log_bytes_(limits.mapped_writes ? maps.log.data() : nullptr),
      write_position_(state.end_position),
      index_interval_bytes_(limits.index_interval_bytes),
      first_timestamp_ms_(state.first_timestamp_ms),
      max_timestamp_(state.max_timestamp),
      room_({*segment, segment->writer_parts().files, end_, segment->writer_parts().ahead, maps.log}, limits,
            state.end_position),
      mapped_writes_(limits.mapped_writes),
      files_(segment->writer_parts().files),
      segment_(std::move(segment)) {
  const auto last_entry = maps.offset_index.last();
  bytes_since_index_entry_ = state.end_position - (last_entry ? last_entry->position : 0);
}

Result<SegmentWriterPtr> SegmentWriter::create(const SegmentContext& context, MapCache& maps,
                                               const std::string& directory, Offset base_offset,
                                               const SegmentLimits& limits) {
  const SegmentPtr segment(new Segment(maps, NamedFiles(context, directory, base_offset)));
  const NamedFiles& files = segment->writer_parts().files;
  auto exists = context.vfs.exists(files.log_path());
  if (!exists) return std::move(exists).error();
  bool is_ours = !*exists;
  auto created = base::answered([&]() -> Result<SegmentWriterPtr> {
    auto log = context.files.open(files.log_path(), os::OpenMode::open_or_create);
    if (!log) return std::move(log).error();
    auto size = (*log)->size();
    if (!size) return std::move(size).error();
    if (*size != 0) {
      return Error(Errc::invalid_state, files.log_path() + " exists and has " + std::to_string(*size) +
                                            " bytes; a new segment would overwrite them. Reopen the engine: "
                                            "recovery finds out what they are.");
    }
    is_ours = true;
    auto writer = attach(segment, maps, {.base_offset = base_offset, .end_offset = base_offset}, limits);
    if (!writer) return writer;
    if (auto synced = context.vfs.sync_directory(directory); !synced) return std::move(synced).error();
    segment->note_proven_max_ms(-1);  // Nothing is in it that this object has not seen.
    segment->transactions().note_from(base_offset);
    return writer;
  });
  if (created || !is_ours) return created;
  for (const std::string* path : {&files.log_path(), &files.offset_index_path(), &files.time_index_path()}) {
    auto removed = base::answered([&] {
      context.files.forget(*path);
      return context.vfs.remove(*path);
    });
    if (!removed && removed.error().code() != Errc::not_found) {
      return created.error().with_context("an empty " + *path + " is left behind (" +
                                          removed.error().message() + ")");
    }
  }
  return created;
}

Result<SegmentWriterPtr> SegmentWriter::open(const SegmentContext& context, MapCache& maps,
                                             const std::string& directory, const SegmentState& state,
                                             const SegmentLimits& limits) {
  const SegmentPtr segment(new Segment(maps, NamedFiles(context, directory, state.base_offset)));
  auto writer = attach(segment, maps, state, limits);
  if (writer) segment->transactions().note_from(state.end_offset);
  return writer;
}

// A segment that nobody reads gives its maps up for the one that is appended to.
Result<SegmentWriterPtr> SegmentWriter::attach(const SegmentPtr& segment, MapCache& maps,
                                               const SegmentState& state, const SegmentLimits& limits) {
  const Segment::WriterParts parts = segment->writer_parts();
  auto mapped = map_active(parts.files, state, limits);
  const bool lacks_maps = !mapped && mapped.error().code() == Errc::out_of_memory;
  if (lacks_maps && maps.shrink()) mapped = map_active(parts.files, state, limits);
  if (!mapped) return std::move(mapped).error();
  auto held = std::make_shared<SegmentMaps>(*std::move(mapped));
  SegmentWriterPtr writer(new SegmentWriter(segment, *held, limits, state));
  parts.end.begin_at(state);
  parts.maps.hold(std::move(held));
  return writer;
}

Result<PlacedBatch> SegmentWriter::place_unwritten(std::size_t size, const format::BatchHeader& header,
                                                   Offset base_offset) {
  if (auto fits = room_.check_fits(write_position_, size); !fits) return std::move(fits).error();
  if (files_.context().keeper != nullptr) {
    if (auto allowed = files_.context().keeper->before_taking(); !allowed) return std::move(allowed).error();
  }
  return placed(size, header, base_offset);
}

Result<> SegmentWriter::write_placed(const PlacedBatch& placed, base::ByteSpan batch) {
  auto file = files_.context().files.open(files_.log_path(), os::OpenMode::read_write);
  if (!file) return std::move(file).error();
  std::array<std::byte, format::crc_at> front;
  std::memcpy(front.data(), batch.data(), front.size());
  base::store_be(front.data() + format::base_offset_at, placed.base_offset);
  front[format::magic_at] = std::byte{format::batch_magic};
  const std::array<base::ByteSpan, 2> pieces{base::ByteSpan(front), batch.subspan(front.size())};
  end_.note_longer_files();
  return (*file)->write_gather_at(pieces, placed.position);
}

Result<base::MutableByteSpan> SegmentWriter::reserve(std::uint64_t size) {
  if (!mapped_writes_) {
    return Error(Errc::invalid_state, files_.log_path() +
                                          " is appended to with write calls; there is no memory to reserve. "
                                          "Frame the batch elsewhere and place it.");
  }
  if (write_position_ + size > room_.attention_at()) {
    if (auto made = room_.make_ready(write_position_, size); !made) return std::move(made).error();
  }
  if (needs_index_entry()) {
    if (auto made = active_maps_->make_index_room(); !made) return std::move(made).error();
  }
  return base::MutableByteSpan(log_bytes_ + write_position_, size);
}

void SegmentWriter::erase_reserved(std::uint64_t size) noexcept {
  if (log_bytes_ != nullptr) std::memset(log_bytes_ + write_position_, 0, size);
}

Result<> SegmentWriter::roll_back(const PlacedBatch& batch) {
  if (log_bytes_ != nullptr) {
    std::memset(log_bytes_ + batch.position, 0, batch.size_bytes);
    return {};
  }
  // A failed write leaves no whole batch there. The next one takes its place, where it cannot be cut
  // off now, and recovery cuts what is behind that.
  auto file = files_.context().files.open(files_.log_path(), os::OpenMode::read_write);
  if (file) static_cast<void>((*file)->truncate(batch.position));
  return {};
}

Result<> SegmentWriter::stage_index_entries(const PlacedBatch& batch) {
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

void SegmentWriter::commit_index_entries(const PlacedBatch& batch) noexcept {
  active_maps_->offset_index.commit();
  if (pending_.has_time_entry) active_maps_->time_index.commit();
  bytes_since_index_entry_ = batch.size_bytes;
}

Result<> SegmentWriter::seal() {
  if (end_.is_final()) return {};
  auto has_closing_entry = trim_to_closing_entry();
  if (!has_closing_entry) return std::move(has_closing_entry).error();
  if (*has_closing_entry) active_maps_->time_index.commit();
  // A guard against stray stores of the host program. Where the kernel refuses it the segment is sealed all
  // the same: the files are exact, and nothing of ours stores any more.
  static_cast<void>(active_maps_->log.protect_read_only());
  static_cast<void>(active_maps_->offset_index.file().protect());
  static_cast<void>(active_maps_->time_index.file().protect());
  end_.make_final();
  active_maps_ = nullptr;
  log_bytes_ = nullptr;
  return {};
}

Result<> SegmentWriter::trim() {
  if (end_.is_final()) return {};
  if (auto trimmed = trim_to_closing_entry(); !trimmed) return std::move(trimmed).error();
  return {};
}

// Ends the time index file with the segment's maximum. Staged only: were it counted and a step failed, or
// more appended after a trim, the segment would go on with an entry that no rebuild makes.
Result<bool> SegmentWriter::trim_to_closing_entry() {
  auto closing = active_maps_->time_index.stage(max_timestamp_);
  if (!closing) return closing;
  if (auto trimmed = active_maps_->offset_index.file().trim(); !trimmed) return std::move(trimmed).error();
  if (auto trimmed = active_maps_->time_index.file().trim(*closing ? 1 : 0); !trimmed)
    return std::move(trimmed).error();
  auto file = files_.context().files.open(files_.log_path(), os::OpenMode::read_write);
  if (!file) return std::move(file).error();
  // Readers look at nothing behind the end, so the pages that go were nobody's.
  room_.end_at(write_position_);
  if (auto cut = (*file)->truncate(write_position_); !cut) return std::move(cut).error();
  end_.note_exact_files();
  return closing;
}

void SegmentWriter::abandon() noexcept {
  const auto parts = segment_->writer_parts();
  parts.ahead.stop();
  active_maps_ = nullptr;
  log_bytes_ = nullptr;
  segment_->mark_deleted();
  parts.maps.drop();
}

}  // namespace seriatim::segment
