// Describing segments, and what readers use of them. The writer's side is segment_writer.cpp.
#include "segment/segment.hpp"

#include <utility>

#include "base/boundary.hpp"

namespace seriatim::segment {

Segment::Segment(MapCache& maps, NamedFiles files)
    : files_(std::move(files)),
      map_cache_(maps),
      transactions_(files_.context(), files_.transaction_index_path(), files_.base_offset()),
      end_(files_.base_offset()) {}

Segment::~Segment() { map_cache_.forget(this); }

std::shared_ptr<Segment> Segment::sealed(const SegmentContext& context, MapCache& maps,
                                         const std::string& directory, const SegmentState& state,
                                         const std::optional<os::FileId>& log_id) {
  std::shared_ptr<Segment> segment(
      new Segment(maps, NamedFiles(context, directory, state.base_offset, log_id)));
  segment->end_.begin_at(state);
  segment->end_.make_final();
  segment->end_.note_exact_files();
  segment->maps_.allow_dropping();
  return segment;
}

Result<SegmentPin> Segment::pin() {
  auto pinned = pin_once();
  const bool lacks_maps = !pinned && pinned.error().code() == Errc::out_of_memory;
  // Without this one's mutex: those that give their maps up have theirs, and may be after this one's.
  return lacks_maps && map_cache_.shrink() ? pin_once() : pinned;
}

Result<SegmentPin> Segment::pin_once() {
  auto pinned = maps_.pin([this] { return files_.map_sealed(end_position()); });
  if (!pinned) return std::move(pinned).error();
  if (!pinned->maps) return files_.deleted_error();
  if (!pinned->is_for_the_cache) return std::move(pinned->maps);
  const auto noted = base::answered([&]() -> Result<> {
    map_cache_.mapped(shared_from_this());
    return {};
  });
  // The cache could not take away maps that it does not know.
  if (!noted) maps_.drop();
  return std::move(pinned->maps);
}

Result<std::shared_ptr<os::File>> Segment::log_file() {
  if (is_deleted()) return files_.deleted_error();
  return files_.log();
}

void Segment::mark_deleted() noexcept {
  maps_.refuse();
  // The writer of an active segment still stores through its maps.
  if (is_sealed()) maps_.drop();
  map_cache_.forget(this);
}

}  // namespace seriatim::segment
