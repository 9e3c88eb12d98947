// Making and opening segments, and what readers use of them. The appender's half is segment_append.cpp.
#include "segment/segment.hpp"

#include <cerrno>
#include <utility>

#include "base/boundary.hpp"
#include "format/file_name.hpp"
#include "format/index_entry.hpp"
#include "os/path.hpp"

namespace seriatim::segment {
namespace {

Error shorter_than_known(const std::string& path, std::uint64_t size, std::uint64_t end_position) {
  return {Errc::corrupt_record,
          path + " has " + std::to_string(size) + " bytes, but " + std::to_string(end_position) +
              " were known to be in it: it was cut from outside. Restore it from a copy, or "
              "reopen the engine to go on with what is left."};
}

Error index_out_of_order(const std::string& path, std::uint64_t entry) {
  return {
      Errc::corrupt_metadata,
      "the index " + path + " does not fit its log at entry " + std::to_string(entry) +
          ": one of the two is damaged. `seriatim verify` says which; if it is the index, nothing is lost: "
          "open the directory for writing, which rebuilds it from its log."};
}

// Whether the time index ends as a clean close leaves it, with an entry that a segment that goes on does not
// have: every other one was made together with an offset index entry, at or above its offset.
bool ends_with_closing_entry(const IndexFile& offsets, const IndexFile& times) noexcept {
  if (times.count() == 0) return false;
  const auto time = format::load_time_index_entry(times.entry(times.count() - 1));
  if (offsets.count() == 0) return true;
  const auto offset = format::load_offset_index_entry(offsets.entry(offsets.count() - 1));
  return time.relative_offset > offset.relative_offset;
}

}  // namespace

Segment::Segment(const SegmentContext& context, MapCache& maps, const std::string& directory,
                 Offset base_offset)
    : context_(context),
      map_cache_(maps),
      base_offset_(base_offset),
      directory_(directory),
      log_path_(os::join_path(directory, format::file_name(base_offset, format::FileKind::log))),
      offset_index_path_(
          os::join_path(directory, format::file_name(base_offset, format::FileKind::offset_index))),
      time_index_path_(
          os::join_path(directory, format::file_name(base_offset, format::FileKind::time_index))),
      transactions_(
          context,
          os::join_path(directory, format::file_name(base_offset, format::FileKind::transaction_index)),
          base_offset),
      end_offset_(base_offset),
      max_timestamp_{-1, base_offset} {}

Segment::~Segment() { map_cache_.forget(this); }

Result<std::shared_ptr<Segment>> Segment::create(const SegmentContext& context, MapCache& maps,
                                                 const std::string& directory, Offset base_offset,
                                                 const SegmentLimits& limits) {
  std::shared_ptr<Segment> segment(new Segment(context, maps, directory, base_offset));
  auto exists = context.vfs.exists(segment->log_path_);
  if (!exists) return std::move(exists).error();
  bool is_ours = !*exists;
  auto created = base::answered([&]() -> Result<> {
    auto log = context.files.open(segment->log_path_, os::OpenMode::open_or_create);
    if (!log) return std::move(log).error();
    auto size = (*log)->size();
    if (!size) return std::move(size).error();
    if (*size != 0) {
      return Error(Errc::invalid_state, segment->log_path_ + " exists and has " + std::to_string(*size) +
                                            " bytes; a new segment would overwrite them. Reopen the engine: "
                                            "recovery finds out what they are.");
    }
    is_ours = true;
    if (auto made = segment->create_files(limits); !made) return made;
    segment->note_proven_max_ms(-1);  // Nothing is in it that this object has not seen.
    segment->transactions_.note_from(base_offset);
    return {};
  });
  if (created) return segment;
  if (!is_ours) return std::move(created).error();
  for (const std::string* path :
       {&segment->log_path_, &segment->offset_index_path_, &segment->time_index_path_}) {
    auto removed = base::answered([&] {
      context.files.forget(*path);
      return context.vfs.remove(*path);
    });
    if (!removed && removed.error().code() != Errc::not_found) {
      return created.error().with_context("an empty " + *path + " is left behind (" +
                                          removed.error().message() + ")");
    }
  }
  return std::move(created).error();
}

Result<> Segment::create_files(const SegmentLimits& limits) {
  if (auto mapped = map_active({.base_offset = base_offset_, .end_offset = base_offset_}, limits); !mapped) {
    return mapped;
  }
  return context_.vfs.sync_directory(directory_);
}

Result<std::shared_ptr<Segment>> Segment::open_active(const SegmentContext& context, MapCache& maps,
                                                      const std::string& directory, const SegmentState& state,
                                                      const SegmentLimits& limits) {
  std::shared_ptr<Segment> segment(new Segment(context, maps, directory, state.base_offset));
  if (auto mapped = segment->map_active(state, limits); !mapped) return std::move(mapped).error();
  segment->transactions_.note_from(state.end_offset);
  return segment;
}

std::shared_ptr<Segment> Segment::sealed(const SegmentContext& context, MapCache& maps,
                                         const std::string& directory, const SegmentState& state,
                                         const std::optional<os::FileId>& log_id) {
  std::shared_ptr<Segment> segment(new Segment(context, maps, directory, state.base_offset));
  segment->take_state(state);
  segment->log_id_ = log_id;
  segment->sealed_.store(true, std::memory_order_release);
  segment->has_exact_files_.store(true, std::memory_order_release);
  const base::MutexLock lock(segment->maps_mutex_);
  segment->is_cacheable_ = true;
  return segment;
}

void Segment::take_state(const SegmentState& state) noexcept {
  write_position_ = state.end_position;
  max_timestamp_ = state.max_timestamp;
  first_timestamp_ms_ = state.first_timestamp_ms;
  max_timestamp_ms_.store(state.max_timestamp.timestamp_ms, std::memory_order_release);
  end_offset_.store(state.end_offset, std::memory_order_release);
  end_position_.store(state.end_position, std::memory_order_release);
}

// A segment that nobody reads gives its maps up for the one that is appended to.
Result<> Segment::map_active(const SegmentState& state, const SegmentLimits& limits) {
  auto mapped = map_active_files(state, limits);
  const bool lacks_maps = !mapped && mapped.error().code() == Errc::out_of_memory;
  return lacks_maps && map_cache_.shrink() ? map_active_files(state, limits) : mapped;
}

Result<> Segment::map_active_files(const SegmentState& state, const SegmentLimits& limits) {
  limits_ = limits;
  size_limit_ = std::min(limits.segment_bytes, segment_bytes_max);
  auto log = context_.files.open(log_path_, os::OpenMode::read_write);
  if (!log) return std::move(log).error();
  auto size = (*log)->size();
  if (!size) return std::move(size).error();
  if (*size < state.end_position) return shorter_than_known(log_path_, *size, state.end_position);
  if (*size > state.end_position) {
    return Error(Errc::invalid_state, log_path_ + " has " + std::to_string(*size - state.end_position) +
                                          " bytes behind its end at " + std::to_string(state.end_position) +
                                          "; erase the tail before opening it for appending");
  }
  const auto access = limits.mapped_writes ? os::Access::read_write : os::Access::read;
  auto map = (*log)->map(std::max<std::uint64_t>({size_limit_, state.end_position, 1}), access);
  if (!map) return std::move(map).error();
  IndexShape shape{OffsetIndex::entry_bytes, limits.index_bytes, limits.mapped_writes};
  auto offsets = IndexFile::open_active(context_, offset_index_path_, shape, state.offset_index_entries);
  if (!offsets) return std::move(offsets).error();
  shape.entry_bytes = TimeIndex::entry_bytes;
  auto times = IndexFile::open_active(context_, time_index_path_, shape, state.time_index_entries);
  if (!times) return std::move(times).error();
  // It stays in the file, since other processes may have it in their maps, until another entry takes its
  // place.
  if (ends_with_closing_entry(**offsets, **times)) (*times)->uncount_last();

  take_state(state);
  auto maps = std::make_shared<SegmentMaps>(SegmentMaps{std::move(*map),
                                                        OffsetIndex(base_offset_, std::move(*offsets)),
                                                        TimeIndex(base_offset_, std::move(*times))});
  const auto last_entry = maps->offset_index.last();
  bytes_since_index_entry_ = state.end_position - (last_entry ? last_entry->position : 0);
  allocated_bytes_ = ready_bytes_ = attention_at_ = state.end_position;
  active_maps_ = maps.get();
  if (limits.mapped_writes) log_bytes_ = maps->log.data();
  const base::MutexLock lock(maps_mutex_);
  last_maps_ = maps;
  maps_ = std::move(maps);
  return {};
}

SegmentPin Segment::present_maps() const {
  const base::MutexLock lock(maps_mutex_);
  return maps_;
}

Result<SegmentPin> Segment::pin() {
  auto pinned = pin_once();
  const bool lacks_maps = !pinned && pinned.error().code() == Errc::out_of_memory;
  // Without this one's mutex: those that give their maps up have theirs, and may be after this one's.
  return lacks_maps && map_cache_.shrink() ? pin_once() : pinned;
}

Result<SegmentPin> Segment::pin_once() {
  SegmentPin pinned;
  bool is_cacheable = false;
  {
    const base::MutexLock lock(maps_mutex_);
    if (is_deleted()) return deleted_error();
    if (maps_) {
      // Tested first: readers of one segment should not fight for a cache line.
      if (!recently_used_.load(std::memory_order_relaxed))
        recently_used_.store(true, std::memory_order_relaxed);
      return maps_;
    }
    pinned = last_maps_.lock();  // dropped by the cache, held by a reader
    if (!pinned) {
      auto mapped = map_sealed();
      if (!mapped) return mapped;
      pinned = std::move(*mapped);
    }
    maps_ = pinned;
    last_maps_ = pinned;
    is_cacheable = is_cacheable_;
  }
  if (!is_cacheable) return pinned;
  const auto noted = base::answered([&]() -> Result<> {
    map_cache_.mapped(shared_from_this());
    return {};
  });
  // The cache could not take away maps that it does not know.
  if (!noted) drop_maps();
  return pinned;
}

Result<SegmentPin> Segment::map_sealed() const {
  auto log = map_sealed_log();
  if (!log) return std::move(log).error();
  auto offsets = IndexFile::open_sealed(context_, offset_index_path_, OffsetIndex::entry_bytes);
  if (!offsets) return std::move(offsets).error();
  auto times = IndexFile::open_sealed(context_, time_index_path_, TimeIndex::entry_bytes);
  if (!times) return std::move(times).error();
  if (auto same = check_unexchanged(); !same) return std::move(same).error();
  auto maps = std::make_shared<SegmentMaps>(SegmentMaps{std::move(*log),
                                                        OffsetIndex(base_offset_, std::move(*offsets)),
                                                        TimeIndex(base_offset_, std::move(*times))});
  const std::uint64_t sane_offsets = maps->offset_index.sane_prefix(end_position());
  if (sane_offsets != maps->offset_index.count()) return index_out_of_order(offset_index_path_, sane_offsets);
  const std::uint64_t sane_times = maps->time_index.sane_prefix();
  if (sane_times != maps->time_index.count()) return index_out_of_order(time_index_path_, sane_times);
  return maps;
}

Result<os::Mapping> Segment::map_sealed_log() const {
  const std::uint64_t end = end_position();
  auto file = context_.files.open(log_path_, os::OpenMode::read);
  if (!file) return std::move(file).error();
  auto size = (*file)->size();
  if (auto meant = check_is_meant(**file); !meant) return std::move(meant).error();
  if (!size) return std::move(size).error();
  // Touching a page behind the end of the file would be SIGBUS.
  if (*size < end) return shorter_than_known(log_path_, *size, end);
  if (end == 0) return os::Mapping();
  return (*file)->map(end, os::Access::read);
}

Result<std::shared_ptr<os::File>> Segment::log_file() {
  if (is_deleted()) return deleted_error();
  auto file = context_.files.open(log_path_, os::OpenMode::read);
  if (!file) return file;
  if (auto meant = check_is_meant(**file); !meant) return std::move(meant).error();
  return file;
}

Result<> Segment::check_is_meant(os::File& log) const {
  if (!log_id_) return {};
  auto id = log.id();
  if (!id) return std::move(id).error();
  if (*id == *log_id_) return {};
  context_.files.forget(log_path_);
  return deleted_error();
}

// Whether the indexes that were just opened by their names are those of the log: its name is the first that
// an exchange takes away.
Result<> Segment::check_unexchanged() const {
  if (!log_id_) return {};
  auto now = context_.vfs.open(log_path_, os::OpenMode::read);
  if (!now) return std::move(now).error();
  return check_is_meant(**now);
}

std::int64_t Segment::modified_ms() const noexcept {
  const auto modified = base::answered([this]() -> Result<std::int64_t> {
    auto file = context_.files.open(log_path_, os::OpenMode::read);
    if (!file) return std::move(file).error();
    return (*file)->modified_ms();
  });
  return modified ? *modified : -1;
}

Error Segment::deleted_error() const {
  return {Errc::not_found, log_path_ +
                               " was deleted by retention, compaction or the deletion of its topic. Look "
                               "the offset up again."};
}

void Segment::mark_deleted() noexcept {
  SegmentPin released;  // unmapped after the lock
  {
    const base::MutexLock lock(maps_mutex_);
    deleted_.store(true, std::memory_order_release);
    // The appender of an active segment still writes through its maps.
    if (is_sealed()) released = std::move(maps_);
  }
  map_cache_.forget(this);
}

void Segment::abandon() noexcept {
  stop_prefaulting();
  active_maps_ = nullptr;
  log_bytes_ = nullptr;
  SegmentPin released;  // unmapped after the lock
  {
    const base::MutexLock lock(maps_mutex_);
    deleted_.store(true, std::memory_order_release);
    released = std::move(maps_);
  }
  map_cache_.forget(this);
}

bool Segment::is_pinned() const noexcept {
  const base::MutexLock lock(maps_mutex_);
  return maps_ ? maps_.use_count() > 1 : !last_maps_.expired();
}

void Segment::drop_maps() noexcept {
  SegmentPin released;  // unmapped after the lock
  const base::MutexLock lock(maps_mutex_);
  released = std::move(maps_);
}

}  // namespace seriatim::segment
