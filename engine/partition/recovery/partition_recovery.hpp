// Opening a partition: what its directory holds after a stop, clean or not, becomes a Partition.
//
// It reads what it needs before it writes, and every step can be repeated: a crash during recovery changes
// nothing that recovery would not do again (INV-5). The bytes beyond the last valid batch are erased before
// anything is appended; what cannot be explained is moved aside.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/result.hpp>

#include "partition/partition.hpp"
#include "partition/recovery/recovery_preview.hpp"
#include "segment/recovery/segment_recovery.hpp"
#include "segment/segment_store.hpp"

namespace seriatim::partition {

class PartitionOpener {
 public:
  PartitionOpener(const PartitionEnvironment& environment, const PartitionRequest& request);
  Result<std::shared_ptr<Partition>> open();
  /// See recovery_preview.hpp. An opener opens or previews, once.
  Result<RecoveryPreview> preview();

 private:
  Result<segment::DirectoryListing> prepare_files();
  Result<> note_taken(const std::string& path, std::uint64_t position, std::string what);
  Result<> prepare_directory();
  Result<std::size_t> restore_journalled(const segment::DirectoryListing& listing);
  Result<> load_producers(const segment::DirectoryListing& listing);
  Result<> replay_producers();
  Result<> replay_segment(segment::Segment& segment, Offset from);
  Result<> restore_transactions(segment::Segment& segment, Offset from);
  void note_aborted(const format::BatchHeader& header, base::ByteSpan batch);
  Result<> recover_segments(const segment::DirectoryListing& listing);
  Result<bool> recover_one(const std::vector<segment::SegmentFileInfo>& files, std::size_t index);
  Result<> cut_tail(const segment::SegmentFileInfo& file, const segment::RecoveredSegment& found,
                    bool below_durable);
  Result<bool> is_our_tail(const std::string& path, const segment::RecoveredSegment& found,
                           bool below_durable);
  Result<> keep_tail(const std::string& path, const segment::RecoveredSegment& found);
  Result<> set_aside(const std::vector<segment::SegmentFileInfo>& files, std::size_t from);
  void note_missing_segment(const std::vector<segment::SegmentFileInfo>& files);
  Result<> open_active();
  Result<bool> is_stranger(const std::vector<segment::SegmentFileInfo>& files, std::size_t index) const;
  Result<> set_strangers_aside(segment::DirectoryListing& listing);
  void note_shorter_log();
  std::string log_path(Offset base) const;
  Result<> seal_short_segment();
  void publish_offsets();
  segment::RecoveryRequest request_for(const segment::SegmentFileInfo& file, Offset next_base) const;
  void note_fault(const segment::SegmentFileInfo& file, const segment::RecoveredSegment& found);
  void note_hole(const segment::SegmentFileInfo& file, const segment::SegmentState& state, Offset next_base);
  void note_damage(std::string what);
  bool may_have_gaps() const noexcept;
  bool is_clean(const segment::DirectoryListing& listing) const;

  const PartitionEnvironment& environment_;
  PartitionRequest request_;
  std::shared_ptr<Partition> partition_;
  std::vector<segment::SegmentPtr> segments_;
  std::optional<segment::SegmentState> last_state_;
  ProducerState producers_;
  std::vector<Offset> snapshots_;
  std::uint64_t replayed_bytes_ = 0;
  std::vector<format::AbortedTransaction> aborted_;  ///< Of the segment that is being replayed.
  bool met_damage_ = false;                          ///< In it.
  std::optional<std::string> damage_;
  bool clean_ = false;
  bool is_foreign_ = false;                           ///< A clean close left other files than these.
  bool has_gaps_ = false;                             ///< Some were found.
  std::optional<std::vector<TakenRecords>> taken_{};  ///< Only of a preview.
};

}  // namespace seriatim::partition
