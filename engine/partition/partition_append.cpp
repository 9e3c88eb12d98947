// The append path, top to bottom: admit, roll if needed, place, note, publish.
#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/boundary.hpp"
#include "format/batch_header.hpp"
#include "partition/partition.hpp"
#include "segment/segment_store.hpp"

namespace seriatim::partition {

Error Partition::is_claimed(std::string_view doing) const {
  return {Errc::invalid_state, "this thread holds a claim on " + name_.topic + "-" +
                                   std::to_string(name_.partition) + "; commit or abort it before " +
                                   std::string(doing)};
}

Result<PartitionAppend> Partition::append(const format::FramedBatch& batch, Durability durability,
                                          SequenceRule rule) {
  auto appended = append_held_back(batch, durability, rule, 0);
  // A marker of nobody's transaction, copied from elsewhere: it is seen when it is there.
  if (appended && batch.header.is_control()) release_transaction(appended->ended_first_offset);
  if (!appended || !appended->is_flush_due) return appended;
  appended->is_flush_due = false;
  // It is there, whatever the flush has met.
  if (auto synced = sync_to(appended->last_offset + 1); !synced)
    return synced.error().with_outcome(Outcome::unknown);
  return appended;
}

Result<PartitionAppend> Partition::append_held_back(const format::FramedBatch& batch, Durability durability,
                                                    SequenceRule rule, std::uint64_t decision_lsn) {
  if (auto checked = check_unclaimed("appending to the same partition"); !checked) return checked.error();
  const format::BatchHeader& header = batch.header;
  PartitionAppend appended;
  {
    const base::MutexLock lock(append_mutex_);
    // A marker is not the application's, and no limit of it may keep a transaction from ending.
    if (auto checked = check_appendable(header.is_control() ? 0 : batch.bytes.size()); !checked)
      return checked.error();
    decided_lsn_ = std::max(decided_lsn_, decision_lsn);
    ProducerInfo* producer = nullptr;
    if (header.has_producer()) {
      producer = producers_.find(header.producer_id);
      auto admitted = admit(header, rule, producer);
      if (!admitted) return admitted.error();
      if (const auto* const copy = *admitted) {
        return PartitionAppend{.base_offset = copy->base_offset,
                               .last_offset = copy->last_offset,
                               .duplicate_of_ms = copy->timestamp_ms};
      }
    }
    const Offset base_offset = offsets_.log_end();
    auto placed = base::answered([&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS -> Result<segment::PlacedBatch> {
      auto rolled =
          roll_if_needed(batch.bytes.size(), base_offset + header.last_offset_delta, header.max_timestamp_ms);
      if (!rolled) return rolled.error();
      return active_->place(batch.bytes, header, base_offset);
    });
    if (!placed) return placed.error();
    const Admitted admitted{
        .batch = batch, .durability = durability, .producer = producer, .appended = appended};
    if (auto published = publish(*placed, admitted); !published) return published.error();
    appended.is_flush_due = placed->last_offset + 1 - offsets_.durable() >= config_.flush_messages;
  }
  listeners().notify_after_unlock();
  return appended;
}

Result<> Partition::check_not_closed() const {
  if (!closed_) return {};
  return Error(
      is_deleted() ? Errc::unknown_topic_or_partition : Errc::closed,
      name_.topic + "-" + std::to_string(name_.partition) +
          (is_deleted() ? ": the topic was deleted" : ": the engine was closed; open it again to append"));
}

Result<> Partition::check_open() const {
  const base::MutexLock lock(append_mutex_);
  return check_not_closed();
}

Result<> Partition::why_not_appendable(std::uint64_t size) const {
  if (auto checked = check_not_closed(); !checked) return checked;
  if (environment_.health.has_failed()) return environment_.health.check();
  // Where a log ends is read from a disk, and the name of a file may say anything.
  if (offsets_.log_end() > LogOffsets::appendable_end_max) {
    return Error(
        Errc::invalid_state,
        name_.topic + "-" + std::to_string(name_.partition) + " in " + directory_ + " ends at offset " +
            std::to_string(offsets_.log_end()) +
            ", behind which no batch has room. Move the segment that begins or ends there away while "
            "the engine is closed; `seriatim verify` shows it");
  }
  const auto largest = static_cast<std::uint64_t>(config_.max_message_bytes);
  if (size > largest || size > static_cast<std::uint64_t>(config_.segment_bytes)) {
    return Error(
        Errc::record_too_large,
        "a batch of " + std::to_string(size) + " bytes exceeds " +
            (size > largest ? "max.message.bytes (" + std::to_string(largest)
                            : "segment.bytes (" + std::to_string(config_.segment_bytes)) +
            ") of topic " + name_.topic +
            "; send smaller batches, or raise the limit with Admin::alter_config or `seriatim topic alter`");
  }
  return {};
}

Result<const format::StoredBatch*> Partition::admit(const format::BatchHeader& header, SequenceRule rule,
                                                    const ProducerInfo* producer) const {
  if (!header.is_control()) return ProducerState::admit(producer, header, rule);
  if (auto admitted = ProducerState::admit_marker(producer, header); !admitted) return admitted.error();
  return static_cast<const format::StoredBatch*>(nullptr);
}

// Admission stands before the roll, so that what is refused touches nothing.
Result<> Partition::roll_if_needed(std::uint64_t size, Offset last_offset, std::int64_t max_timestamp_ms) {
  const bool has_room = active_->has_room(size, last_offset);
  if (has_room && active_->append_position() == 0) return {};
  if (has_room) {
    // Kafka's rule is message time; the clock only where the first batch has no timestamp.
    const std::int64_t first = active_->first_timestamp_ms();
    const std::int64_t age =
        first >= 0 ? max_timestamp_ms - first : environment_.clock.wall_ms() - active_->created_ms();
    if (age <= config_.segment_ms) return {};
  }
  return roll_locked();
}

Result<> Partition::roll_locked() {
  const Offset base_offset = offsets_.log_end();
  if (active_->segment()->is_empty()) return widen_active();
  if (auto written = write_snapshot(); !written) return written;
  auto next = segment::SegmentWriter::create(environment_.files, environment_.maps, directory_, base_offset,
                                             limits());
  if (!next) return next.error();
  auto sealed = base::answered([&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS -> Result<> {
    const base::MutexLock lock(list_mutex_);
    // Everything that takes memory first: behind the seal nothing can fail.
    const auto present = segments_.load();
    std::vector<segment::SegmentPtr> segments(present->begin(), present->end());
    segments.push_back((*next)->segment());
    auto list = std::make_shared<const SegmentList>(std::move(segments));
    unsynced_.reserve(unsynced_.size() + 1);
    seal_transactions();
    if (auto done = active_->seal(); !done) return done;
    segments_.store(std::move(list));
    return {};
  });
  if (!sealed) {
    // The old segment goes on; the empty one must not be in the way of the next try.
    auto removed = base::answered(
        [&] { return segment::delete_segment_files(environment_.files, directory_, base_offset); });
    if (!removed) environment_.report(true, removed.error().message());
    return sealed;
  }
  has_transactions_ = producers_.first_open_offset() >= 0;
  (*next)->set_created_ms(environment_.clock.wall_ms());
  unsynced_.push_back(active_->segment());
  active_ = *std::move(next);
  environment_.counters.rolled_segments.add();
  return {};
}

// An empty segment has the size that was configured when it was made. One that is to be larger since is
// mapped anew, over the same files; readers find it in the list, as they find the successor of any other.
Result<> Partition::widen_active() {
  const auto wanted = limits();
  const std::uint64_t largest =
      std::min<std::uint64_t>(wanted.segment_bytes, std::numeric_limits<std::int32_t>::max());
  const Offset base_offset = active_->base_offset();
  if (active_->has_room(largest, base_offset)) return {};
  if (auto trimmed = active_->trim(); !trimmed) return trimmed;
  auto wider = segment::SegmentWriter::open(
      environment_.files, environment_.maps, directory_,
      {.base_offset = base_offset, .end_offset = base_offset, .max_timestamp = {-1, base_offset}}, wanted);
  if (!wider) return wider.error();
  (*wider)->set_created_ms(active_->created_ms());
  change_list([&](std::vector<segment::SegmentPtr>& segments) { segments.back() = (*wider)->segment(); });
  active_->segment()->end_followed();
  active_ = *std::move(wider);
  return {};
}

// Everything that can still refuse a placed batch.
Result<> Partition::note(const segment::PlacedBatch& placed, const Admitted& admitted) {
  if (auto noted = active_->note(placed); !noted) return noted;
  if (admitted.batch.header.has_producer()) return note_producer(placed, admitted);
  return stage(placed, admitted);
}

Result<> Partition::publish(const segment::PlacedBatch& placed, const Admitted& admitted) {
  // Under the append mutex, which the analysis does not see in a function's function.
  auto noted = base::answered([&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS { return note(placed, admitted); });
  if (!noted) {
    if (auto taken = active_->roll_back(placed); !taken) return noted.error().with_outcome(Outcome::unknown);
    return noted;
  }
  appended_batches_.add(1);
  appended_records_.add(static_cast<std::uint64_t>(admitted.batch.header.record_count));
  appended_bytes_.add(placed.size_bytes);
  active_->publish(placed);
  // Last: a reader that sees this offset must find the bytes and the segment that holds them.
  offsets_.publish_log_end(placed.last_offset + 1);
  admitted.appended.base_offset = placed.base_offset;
  admitted.appended.last_offset = placed.last_offset;
  return {};
}

// A frame promises its batch and every earlier one, so it is of use only where those are durable or have
// frames of their own (INV-6: staged here, journal order is log order). Else the segment is synced, once, and
// the next batch can be journalled.
Result<> Partition::stage(const segment::PlacedBatch& placed, const Admitted& admitted) {
  if (auto written = active_->write(placed, admitted.batch.bytes); !written) return written;
  journal::Journal* const journal = environment_.journal;
  const bool is_chained = offsets_.durable() >= journalled_from_;
  if (admitted.durability == Durability::published || journal == nullptr || !mapped_writes_ || !is_chained ||
      placed.size_bytes > environment_.journal_bypass_bytes) {
    journalled_from_ = placed.last_offset + 1;
    return {};
  }
  std::shared_ptr<const void> kept;
  if (placed.size_bytes > journal::StagedFrame::copied_bytes_max) {
    auto pin = active_->segment()->pin();
    if (!pin) return pin.error();
    kept = *std::move(pin);
  }
  auto lsn =
      journal->stage(journal::StagedFrame::unpublished_batch({.topic_id = topic_id_,
                                                              .partition = name_.partition,
                                                              .base_offset = placed.base_offset,
                                                              .segment_base_offset = active_->base_offset(),
                                                              .position = placed.position},
                                                             active_->bytes_of(placed), std::move(kept)));
  if (!lsn) return lsn.error();
  admitted.appended.lsn = *lsn;
  return {};
}

Result<base::MutableByteSpan> Partition::claim(std::uint64_t size) {
  if (auto checked = check_unclaimed("claiming once more"); !checked) return checked.error();
  append_mutex_.lock();
  auto reserved = base::answered([&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS -> Result<base::MutableByteSpan> {
    if (auto checked = check_appendable(size); !checked) return checked.error();
    const std::int64_t now_ms = environment_.clock.wall_ms();
    if (auto rolled = roll_if_needed(size, offsets_.log_end(), now_ms); !rolled) return rolled.error();
    if (mapped_writes_) return active_->reserve(size);
    claim_buffer_.resize(size);
    return base::MutableByteSpan(claim_buffer_);
  });
  if (!reserved) {
    append_mutex_.unlock();
    return reserved;
  }
  claimed_bytes_ = reserved->size();
  claim_holder_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  return reserved;
}

Result<PartitionAppend> Partition::finish_claim(const format::FramedBatch& batch, Durability durability) {
  SERIATIM_ASSERT(claim_holder_.load(std::memory_order_relaxed) == std::this_thread::get_id());
  auto result = base::answered([&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS -> Result<PartitionAppend> {
    auto placed = active_->place(batch.bytes, batch.header, offsets_.log_end());
    if (!placed) return placed.error();
    PartitionAppend appended;
    const Admitted admitted{.batch = batch, .durability = durability, .appended = appended};
    if (auto published = publish(*placed, admitted); !published) return published.error();
    return appended;
  });
  const bool flush_due = offsets_.log_end() - offsets_.durable() >= config_.flush_messages;
  claim_holder_.store(std::thread::id(), std::memory_order_relaxed);
  append_mutex_.unlock();
  if (!result) return result;
  listeners().notify_after_unlock();
  if (flush_due) {
    auto synced = base::answered([&] { return sync_to(result->last_offset + 1); });
    if (!synced) return synced.error().with_outcome(Outcome::unknown);
  }
  return result;
}

void Partition::abandon_claim() noexcept {
  SERIATIM_ASSERT(claim_holder_.load(std::memory_order_relaxed) == std::this_thread::get_id());
  // The bytes written into the claim would follow a shorter batch.
  active_->erase_reserved(claimed_bytes_);
  claim_holder_.store(std::thread::id(), std::memory_order_relaxed);
  append_mutex_.unlock();
}

}  // namespace seriatim::partition
