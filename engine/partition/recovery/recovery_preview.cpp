#include "partition/recovery/recovery_preview.hpp"

#include <utility>

#include "format/file_name.hpp"
#include "partition/recovery/partition_recovery.hpp"
#include "segment/scan/batch_search.hpp"
#include "segment/scan/batch_stream.hpp"

namespace seriatim::partition {

Result<RecoveryPreview> preview_recovery(const PartitionEnvironment& environment,
                                         const PartitionRequest& request) {
  return PartitionOpener(environment, request).preview();
}

Result<RecoveryPreview> PartitionOpener::preview() {
  taken_.emplace();
  auto listing = prepare_files();
  if (!listing) return listing.error();
  RecoveryPreview preview{.is_clean = clean_ && taken_->empty()};
  if (preview.is_clean) return preview;
  if (auto recovered = recover_segments(*listing); !recovered) return recovered.error();
  preview.taken = *std::exchange(taken_, std::nullopt);
  preview.damage = damage_;
  preview.has_gaps = has_gaps_;
  return preview;
}

Result<> PartitionOpener::note_taken(const std::string& path, std::uint64_t position, std::string what) {
  if (!taken_) return {};
  auto counted = count_records(environment_.files, path, position);
  if (!counted) return counted.error();
  counted->what = std::move(what);
  taken_->push_back(*std::move(counted));
  return {};
}

Result<TakenRecords> count_records(const segment::SegmentContext& files, const std::string& path,
                                   std::uint64_t position) {
  auto log = files.files.open(path, os::OpenMode::read);
  if (!log) return log.error();
  auto size = (*log)->size();
  if (!size) return size.error();
  const auto name = format::parse_file_name(path.substr(path.rfind('/') + 1));
  TakenRecords counted{.path = path, .position = position};
  segment::FileLogBytes bytes(**log);
  segment::BatchStream stream(**log, position, *size, name ? name->offset : 0);
  for (;;) {
    const Offset lowest = stream.expected_offset();
    auto item = stream.next();
    if (!item) return item.error();
    if (item->at_end) return counted;
    if (item->fault != format::BatchFault::none) {
      auto sound = segment::find_sound_batch(
          bytes, {.fault_position = item->position, .end = *size, .lowest_base = lowest});
      if (!sound) return sound.error();
      if (!*sound) return counted;
      stream.resume_at((*sound)->position, lowest);
      continue;
    }
    if (counted.first_offset < 0) counted.first_offset = item->header.base_offset;
    counted.last_offset = item->header.last_offset();
    counted.records += static_cast<std::uint64_t>(item->header.record_count);
  }
}

}  // namespace seriatim::partition
