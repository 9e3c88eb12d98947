#include "partition/compaction/compaction.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "format/batch/record_section.hpp"
#include "partition/compaction/compaction_filter.hpp"
#include "partition/compaction/compaction_writer.hpp"
#include "segment/scan/batch_stream.hpp"
#include "segment/segment_store.hpp"

namespace seriatim::partition {
namespace {

using segment::BatchStream;
using segment::SegmentPtr;

// The limit of bytes a second is asked once for so many: a question costs as much as a small batch.
// Arbitrary.
constexpr std::uint64_t spend_bytes = 64U << 10;

/// The offsets and segments of a pass.
struct Range {
  std::vector<SegmentPtr> segments;  // cleanable, from the front of the log
  Offset first_dirty = 0;
  std::uint64_t clean_bytes = 0;
  std::uint64_t dirty_bytes = 0;
};

Range cleanable_range(const Partition& partition) {
  Range range;
  const TopicConfig config = partition.config();
  const auto list = partition.segments().load();
  const Offset end = std::min(partition.last_stable_offset(), partition.stored_recovery_base());
  const std::int64_t youngest_ms = partition.environment().clock.wall_ms() - config.min_compaction_lag_ms;
  range.first_dirty = std::max(partition.checkpoint().compacted_to_offset, partition.log_start_offset());
  if (range.first_dirty > partition.log_end_offset()) range.first_dirty = partition.log_start_offset();
  for (const auto& segment : *list) {
    const bool too_young = config.min_compaction_lag_ms > 0 && segment->max_timestamp_ms() > youngest_ms;
    if (!segment->is_sealed() || segment->end_offset() > end || too_young) break;
    const bool is_clean = segment->end_offset() <= range.first_dirty;
    (is_clean ? range.clean_bytes : range.dirty_bytes) += segment->end_position();
    range.segments.push_back(segment);
  }
  return range;
}

// Adjacent segments whose sum fits one segment: size, both indexes, offset span.
std::vector<std::vector<SegmentPtr>> group_segments(const std::vector<SegmentPtr>& segments, Offset end,
                                                    const TopicConfig& config) {
  std::vector<std::vector<SegmentPtr>> groups;
  std::uint64_t bytes = 0;
  for (const auto& segment : segments) {
    if (segment->base_offset() >= end) break;
    const std::uint64_t size = segment->end_position();
    // An index entry of 8 or 12 bytes stands for at least index.interval.bytes of log.
    const auto per_entry = static_cast<std::uint64_t>(std::max<std::int64_t>(config.index_interval_bytes, 1));
    const bool fits = !groups.empty() && bytes + size <= static_cast<std::uint64_t>(config.segment_bytes) &&
                      (bytes + size) / per_entry * segment::TimeIndex::entry_bytes <=
                          static_cast<std::uint64_t>(config.segment_index_bytes) &&
                      segment->end_offset() - groups.back().front()->base_offset() <=
                          std::numeric_limits<std::int32_t>::max();
    if (!fits) {
      groups.emplace_back();
      bytes = 0;
    }
    groups.back().push_back(segment);
    bytes += size;
  }
  return groups;
}

class CompactionPass {
 public:
  CompactionPass(Partition& partition, const CompactionOptions& options)
      : partition_(partition), options_(options), config_(partition.config()) {}

  Result<CompactionResult> run(const Range& range) {
    // As many keys as records at most, and as many records as offsets.
    first_dirty_ = range.first_dirty;
    const Offset dirty_end = range.segments.back()->end_offset();
    const auto dirty_records = static_cast<std::uint64_t>(std::max<Offset>(dirty_end - first_dirty_, 0));
    keys_ = KeyMap(KeyMap::bytes_for(dirty_records, options_.key_map_bytes));
    if (auto built = build_key_map(range); !built) return built.error();
    rules_.keys = &keys_;
    rules_.map_end = map_end_;
    rules_.now_ms = partition_.environment().clock.wall_ms();
    rules_.delete_retention_ms = config_.delete_retention_ms;
    note_producers();
    const auto groups = group_segments(range.segments, map_end_, config_);
    for (const auto& group : groups) {
      if (stopped_) break;
      // The end of the cleaned section stays visible: its very last batch survives, empty if need be.
      const bool is_last = &group == &groups.back();
      if (auto rewritten = rewrite(group, is_last); !rewritten) return rewritten.error();
    }
    if (stopped_) return result_;
    result_.ran = true;
    result_.compacted_to = map_end_;
    partition_.set_compacted_to(map_end_);
    partition_.counters().compactions.add();
    partition_.counters().compacted_away_records.add(result_.removed_records);
    return result_;
  }

 private:
  bool must_stop() const {
    return partition_.is_deleted() || (options_.should_stop && options_.should_stop());
  }

  // Whether to end behind so many bytes more; waits until they are within the limit.
  bool must_stop_after(std::uint64_t bytes) {
    unspent_bytes_ += bytes;
    if (must_stop()) return true;
    if (!options_.spend || unspent_bytes_ < spend_bytes) return false;
    for (std::uint64_t spent = std::exchange(unspent_bytes_, 0); !options_.spend(spent); spent = 0) {
      if (must_stop()) return true;
    }
    return false;
  }

  // Calls `visit` for every batch of a segment; false from it ends the walk.
  template <class Visit>
  Result<> for_each_batch(const SegmentPtr& segment, const Visit& visit) {
    auto file = segment->log_file();
    if (!file) return file.error();
    BatchStream stream(**file, 0, segment->end_position(), segment->base_offset());
    for (;;) {
      auto item = stream.next();
      if (!item) return item.error();
      if (item->at_end) return {};
      if (item->fault != format::BatchFault::none) {
        return Error(Errc::corrupt_record,
                     segment->log_path() + " at position " + std::to_string(item->position) + ": " +
                         std::string(format::describe(item->fault)) +
                         "; the partition is left as it is. Run `seriatim verify` to see the extent");
      }
      if (must_stop_after(item->bytes.size())) {
        stopped_ = true;
        return {};
      }
      auto go_on = visit(item->header, item->bytes);
      if (!go_on) return go_on.error();
      if (!*go_on) return {};
    }
  }

  // Of those that are remembered, in the whole partition: who has written since, or is forgotten, needs
  // nothing of what is compacted.
  void note_producers() {
    for (const auto& [id, producer] : partition_.producers()) {
      LastOfProducer& last = rules_.last_of_producers[id];
      last.epoch = producer.epoch;
      if (!producer.batches.empty()) last.last_offset = producer.batches.newest().last_offset;
    }
  }

  // Once a transaction is met, and for all of them: where there are none it costs nothing. False: the pass is
  // to end.
  Result<bool> find_fates() {
    if (rules_.fates != nullptr) return true;
    const auto list = partition_.segments().load();
    auto found =
        fates_.find(*list, map_end_, [this](std::uint64_t bytes) { return !must_stop_after(bytes); });
    if (!found) return found;
    stopped_ = !*found;
    if (!stopped_) rules_.fates = &fates_;
    return found;
  }

  Result<> build_key_map(const Range& range) {
    map_end_ = range.segments.back()->end_offset();
    for (const auto& segment : range.segments) {
      if (stopped_ || full_) break;
      const bool is_dirty = segment->end_offset() > first_dirty_;
      auto walked = for_each_batch(
          segment, [&](const format::BatchHeader& header, base::ByteSpan batch) -> Result<bool> {
            last_batch_base_ = header.base_offset;
            if (header.is_transactional()) {
              auto found = find_fates();
              if (!found || !*found) return found;
            }
            if (!is_dirty || header.last_offset() < first_dirty_) return true;
            return note_keys(header, batch);
          });
      if (!walked) return walked;
    }
    if (full_ && map_end_ <= first_dirty_) {
      return Error(Errc::invalid_argument, "the key map of " + std::to_string(options_.key_map_bytes) +
                                               " bytes cannot hold the keys of one batch of " +
                                               partition_.directory() + "; allow it more memory");
    }
    return {};
  }

  // False, and the end moved back, when the map is full: what did not fit is left to the next pass.
  Result<bool> note_keys(const format::BatchHeader& header, base::ByteSpan batch) {
    if (header.is_control()) return true;
    // The newest record of a key is the newest that counts.
    if (header.is_transactional() && fates_.fate_of(header) != Fate::committed) return true;
    auto section = format::record_section(batch, compacted_section_bytes_max, scratch_);
    if (!section) return section.error();
    format::RecordCursor cursor(*section, header.record_count, header.last_offset_delta);
    format::DecodedRecord record;
    auto step = cursor.next(record);
    for (; step == format::RecordCursor::Step::record; step = cursor.next(record)) {
      const Offset offset = header.base_offset + record.offset_delta;
      // The log start may lie within a batch; what is below it is nobody's newest.
      if (record.key.is_null() || offset < first_dirty_ || keys_.put(record.key.bytes(), offset)) continue;
      full_ = true;
      map_end_ = header.base_offset;
      return false;
    }
    if (step != format::RecordCursor::Step::end) {
      return Error(Errc::corrupt_record,
                   partition_.directory() + ": the batch at offset " + std::to_string(header.base_offset) +
                       " has a good checksum but does not decode; the partition is left as it is");
    }
    return true;
  }

  Result<> rewrite(const std::vector<SegmentPtr>& group, bool is_last) {
    rules_.last_batch_base = is_last ? last_batch_base_ : -1;
    const std::uint64_t removed_before = filter_.removed_records();
    CompactionWriter writer(partition_.environment().files, partition_.directory(),
                            group.front()->base_offset(),
                            static_cast<std::uint64_t>(config_.index_interval_bytes));
    auto filled = fill(group, writer);
    std::uint64_t bytes_before = 0;
    for (const auto& segment : group) bytes_before += segment->end_position();
    const bool unchanged = group.size() == 1 && writer.bytes() == bytes_before && !rebuilt_;
    if (!filled || stopped_ || unchanged) {
      abandon(writer);
      return filled;
    }
    if (rules_.fates != nullptr) {
      const Offset end = group.back()->end_offset();
      writer.set_aborted(aborted_in(group), fates_.first_open_at(end), end);
    }
    if (auto finished = writer.finish(group.back()->modified_ms()); !finished) {
      abandon(writer);
      return finished;
    }
    if (auto swapped = swap(group, writer); !swapped) return swapped;
    result_.segments_before += group.size();
    ++result_.segments_after;
    result_.bytes_before += bytes_before;
    result_.bytes_after += writer.bytes();
    result_.removed_records += filter_.removed_records() - removed_before;
    return {};
  }

  // Aborted transactions whose marker lies in these segments, and which had records before this pass: whoever
  // holds what was replaced may ask for them. Their markers stay for this time.
  std::vector<format::AbortedTransaction> aborted_in(const std::vector<SegmentPtr>& group) const {
    std::vector<format::AbortedTransaction> here;
    for (const auto& entry : fates_.aborted()) {
      if (entry.last_offset >= group.front()->base_offset() && entry.last_offset < group.back()->end_offset())
        here.push_back(entry);
    }
    return here;
  }

  Result<> fill(const std::vector<SegmentPtr>& group, CompactionWriter& writer) {
    rebuilt_ = false;
    if (auto opened = writer.open(); !opened) return opened;
    std::optional<format::BatchHeader> last_header;
    for (const auto& segment : group) {
      auto walked = for_each_batch(
          segment, [&](const format::BatchHeader& header, base::ByteSpan batch) -> Result<bool> {
            last_header = header;
            auto kept = filter_.apply(header, batch);
            if (!kept) return kept.error().with_context(segment->log_path());
            if (kept->data() != batch.data()) rebuilt_ = true;
            if (kept->empty()) return true;
            unspent_bytes_ += kept->size();
            if (auto written = writer.write(format::read_batch_header(kept->data()), *kept); !written)
              return written.error();
            return true;
          });
      if (!walked || stopped_) return walked;
    }
    if (writer.bytes() > 0 || !last_header) return {};
    // A segment without a batch could not anchor the offsets it stands for.
    format::BatchRebuilder remnant;
    auto rebuilt = remnant.rebuild(*last_header, {}, {});
    if (!rebuilt) return rebuilt.error();
    return writer.write(format::read_batch_header(rebuilt->bytes.data()), rebuilt->bytes);
  }

  // A `.swap` that waits is completed by the next open, and until then nothing more may happen to this
  // directory: another pass or retention could take away what it stands for, and opening would bring it back.
  void abandon(CompactionWriter& writer) {
    if (auto removed = writer.abandon(); !removed) partition_.environment().health.latch(removed.error());
  }

  // Until the originals are removed an error can be taken back. A crash on the way is completed by the next
  // open: as long as there is a `.swap`, it is whole.
  Result<> swap(const std::vector<SegmentPtr>& group, CompactionWriter& writer) {
    const auto& environment = partition_.environment();
    auto state = writer.state();
    state.end_offset = group.back()->end_offset();
    auto replacement =
        segment::Segment::sealed(environment.files, environment.maps, partition_.directory(), state);
    bool is_as_before = true;
    auto swapped = partition_.replace_segments(group.front()->base_offset(), group.back()->base_offset() + 1,
                                               {replacement}, [&]() -> Result<> {
                                                 auto exchanged = exchange(group, writer);
                                                 if (!exchanged) is_as_before = roll_back(group, writer);
                                                 return exchanged;
                                               });
    if (!swapped) {
      if (is_as_before) {
        abandon(writer);
      } else {
        environment.health.latch(swapped.error());
      }
      return swapped;
    }
    for (const auto& segment : group) {
      auto removed =
          segment::remove_files_put_aside(environment.files, partition_.directory(), segment->base_offset());
      // A file left under a name for deletion is removed by the next open.
      if (!removed) environment.report(true, removed.error().message());
    }
    return swapped;
  }

  // The originals are out of the way, durably, before the new segment gets their name: at no moment, and
  // after no crash, do two live segments hold the same offsets.
  Result<> exchange(const std::vector<SegmentPtr>& group, CompactionWriter& writer) {
    const auto& files = partition_.environment().files;
    for (const auto& segment : group) {
      auto put = segment::put_segment_files_aside(files, partition_.directory(), segment->base_offset());
      if (!put) return put;
    }
    if (auto synced = files.vfs.sync_directory(partition_.directory()); !synced) return synced;
    return writer.swap_in();
  }

  // False if it is not known what the disk has.
  bool roll_back(const std::vector<SegmentPtr>& group, CompactionWriter& writer) {
    const auto& files = partition_.environment().files;
    if (!writer.swap_out()) return false;
    for (const auto& segment : group) {
      if (!segment::bring_segment_files_back(files, partition_.directory(), segment->base_offset()))
        return false;
    }
    // Before the `.swap` goes: it is all there is if a crash loses these names.
    return files.vfs.sync_directory(partition_.directory()).ok();
  }

  Partition& partition_;
  const CompactionOptions& options_;
  const TopicConfig config_;
  KeyMap keys_{0};
  TransactionFates fates_;
  CompactionRules rules_;
  CompactionFilter filter_{rules_};
  Offset first_dirty_ = 0;
  Offset last_batch_base_ = -1;
  Offset map_end_ = 0;
  bool full_ = false;
  bool stopped_ = false;
  bool rebuilt_ = false;
  std::uint64_t unspent_bytes_ = 0;
  std::vector<std::byte> scratch_;
  CompactionResult result_;
};

}  // namespace

double dirty_ratio(const Partition& partition) {
  const Range range = cleanable_range(partition);
  const std::uint64_t total = range.clean_bytes + range.dirty_bytes;
  return total == 0 ? 0.0 : static_cast<double>(range.dirty_bytes) / static_cast<double>(total);
}

Result<CompactionResult> compact(Partition& partition, const CompactionOptions& options) {
  CompactionResult result;
  auto done = partition.maintain(options.if_busy, [&]() -> Result<> {
    if (auto checked = partition.environment().health.check(); !checked) return checked;
    if (auto open = partition.check_open(); !open) return open;
    const Range range = cleanable_range(partition);
    if (range.segments.empty() || (range.dirty_bytes == 0 && !options.force)) return {};
    auto passed = CompactionPass(partition, options).run(range);
    if (!passed) return passed.error();
    result = *passed;
    // Merged segments leave the snapshots of their bases behind.
    auto pruned = partition.prune_snapshots();
    return pruned ? Result<>{} : Result<>(pruned.error());
  });
  if (!done) return done.error();
  return result;
}

}  // namespace seriatim::partition
