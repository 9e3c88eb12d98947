#include "partition/producer_state.hpp"

#include <algorithm>
#include <utility>

#include "format/batch/control_record.hpp"

namespace seriatim::partition {
namespace {

std::string producer_text(ProducerId id) { return "producer " + std::to_string(id); }

Error old_epoch(ProducerId id, ProducerEpoch epoch, ProducerEpoch newest) {
  return {Errc::invalid_producer_epoch, producer_text(id) + " writes with epoch " + std::to_string(epoch) +
                                            ", but " + std::to_string(newest) +
                                            " is in force: another holder was opened since, or the "
                                            "transaction was ended by the engine. Close this producer"};
}

Error wrong_sequence(const format::BatchHeader& header, Sequence expected) {
  return {Errc::out_of_order_sequence_number,
          producer_text(header.producer_id) + " sends sequence " + std::to_string(header.base_sequence) +
              " where " + std::to_string(expected) +
              " is next: a record before it is missing, or it is older than the last five batches. "
              "Producer::last_sequence tells what is stored"};
}

}  // namespace

void StoredBatches::push(const format::StoredBatch& batch) noexcept {
  if (count_ == capacity) {
    ++first_;
    --count_;
  }
  if (first_ + count_ == batches_.size()) {
    std::copy_n(batches_.begin() + static_cast<std::ptrdiff_t>(first_), count_, batches_.begin());
    first_ = 0;
  }
  batches_[first_ + count_++] = batch;
}

const format::StoredBatch* StoredBatches::find(Sequence first, Sequence last) const noexcept {
  for (const auto& batch : all()) {
    if (batch.first_sequence == first && batch.last_sequence == last) return &batch;
  }
  return nullptr;
}

// As kafka-log 4.2, where the duplicate comes before everything else. One that has the sequence that is
// expected would be 2^31 records old, which five batches do not hold: so that is looked at first.
Result<const format::StoredBatch*> ProducerState::admit(const ProducerInfo* producer,
                                                        const format::BatchHeader& header,
                                                        SequenceRule rule) {
  constexpr const format::StoredBatch* none = nullptr;
  if (producer == nullptr) return none;
  if (header.producer_epoch < producer->epoch)
    return old_epoch(header.producer_id, header.producer_epoch, producer->epoch);
  const bool is_new_epoch = header.producer_epoch > producer->epoch;
  const Sequence expected = is_new_epoch ? 0 : producer->next_sequence();
  if (header.base_sequence != expected) {
    if (rule == SequenceRule::given && !is_new_epoch) {
      if (const auto* const copy = producer->batches.find(header.base_sequence, header.last_sequence()))
        return copy;
    }
    return wrong_sequence(header, expected);
  }
  if (producer->open_first_offset >= 0 && !header.is_transactional()) {
    return Error(
        Errc::invalid_txn_state,
        producer_text(header.producer_id) +
            " has a transaction open here and sends a record outside of it; end the transaction first");
  }
  return none;
}

Result<> ProducerState::admit_marker(const ProducerInfo* producer, const format::BatchHeader& header) {
  if (producer == nullptr || header.producer_epoch >= producer->epoch) return {};
  return old_epoch(header.producer_id, header.producer_epoch, producer->epoch);
}

Result<std::optional<EndedTransaction>> ProducerState::ended_by(const format::BatchHeader& header,
                                                                base::ByteSpan batch) const {
  return ended_by(find(header.producer_id), header, header.base_offset, format::read_control_mark(batch));
}

Result<std::optional<EndedTransaction>> ProducerState::ended_by(const ProducerInfo* producer,
                                                                const format::BatchHeader& header,
                                                                Offset base_offset,
                                                                const format::ControlMark& mark) const {
  if (mark.kind == format::ControlBatch::malformed) {
    return Error(Errc::corrupt_record,
                 "the control batch at offset " + std::to_string(base_offset) + " does not decode");
  }
  if (!mark.ends_transaction() || producer == nullptr || producer->open_first_offset < 0)
    return std::optional<EndedTransaction>();
  // The oldest one that is open without it.
  const auto oldest = std::find_if(open_.begin(), open_.end(), [&](Offset first_offset) {
    return first_offset != producer->open_first_offset;
  });
  return std::optional<EndedTransaction>(
      {.producer_id = header.producer_id,
       .first_offset = producer->open_first_offset,
       .last_offset = base_offset,
       .is_aborted = mark.kind == format::ControlBatch::abort,
       .last_stable_offset = oldest == open_.end() ? base_offset + header.last_offset_delta + 1 : *oldest});
}

Result<> ProducerState::note(const format::BatchHeader& header, base::ByteSpan batch) {
  end_offset_ = header.next_offset();
  if (!header.has_producer()) return {};
  ProducerInfo* const producer = find(header.producer_id);
  if (!header.is_control()) {
    note_data(producer, header, header.base_offset);
    return {};
  }
  const auto mark = format::read_control_mark(batch);
  const auto ended = ended_by(producer, header, header.base_offset, mark);
  if (!ended) return ended.error();
  note_marker(producer, header, header.base_offset, mark, *ended);
  return {};
}

void ProducerState::make_room(const ProducerInfo* known, const format::BatchHeader& header) {
  if (known == nullptr && room_.empty()) room_.emplace(header.producer_id, ProducerInfo{});
  if (open_.size() == open_.capacity()) open_.reserve(2 * open_.size() + 4);
}

// Taken from the room that was made, if it was.
ProducerInfo& ProducerState::add_producer(ProducerId id) {
  if (room_.empty()) return producers_[id];
  auto node = room_.extract(room_.begin());
  node.key() = id;
  return producers_.insert(std::move(node)).position->second;
}

ProducerInfo& ProducerState::note_epoch(ProducerInfo* known, const format::BatchHeader& header) {
  ProducerInfo& producer = known != nullptr ? *known : add_producer(header.producer_id);
  if (producer.epoch != header.producer_epoch) {
    producer.batches.clear();
    producer.epoch = header.producer_epoch;
  }
  producer.last_timestamp_ms = header.max_timestamp_ms;
  producer.was_heard = true;
  return producer;
}

void ProducerState::note_marker(ProducerInfo* known, const format::BatchHeader& header, Offset base_offset,
                                const format::ControlMark& mark,
                                const std::optional<EndedTransaction>& ended) {
  end_offset_ = base_offset + header.last_offset_delta + 1;
  auto& producer = note_epoch(known, header);
  if (mark.ends_transaction()) producer.coordinator_epoch = mark.coordinator_epoch;
  if (!ended) return;
  std::erase(open_, ended->first_offset);
  producer.open_first_offset = -1;
}

bool ProducerState::note_data(ProducerInfo* known, const format::BatchHeader& header, Offset base_offset) {
  const Offset last_offset = base_offset + header.last_offset_delta;
  end_offset_ = last_offset + 1;
  auto& producer = note_epoch(known, header);
  producer.batches.push({.first_sequence = header.base_sequence,
                         .last_sequence = header.last_sequence(),
                         .base_offset = base_offset,
                         .last_offset = last_offset,
                         .timestamp_ms = header.max_timestamp_ms});
  if (!header.is_transactional() || producer.open_first_offset >= 0) return false;
  producer.open_first_offset = base_offset;
  open_.push_back(base_offset);  // The log grows at its end, and so does the list.
  return true;
}

const ProducerInfo* ProducerState::find(ProducerId producer_id) const noexcept {
  const auto found = producers_.find(producer_id);
  return found == producers_.end() ? nullptr : &found->second;
}

void ProducerState::date_heard(std::int64_t now_ms) noexcept {
  for (auto& [id, producer] : producers_) {
    // None was heard in the future: the clock was wrong, or an older version has noted what a record said.
    const bool is_late = producer.last_activity_ms > now_ms;
    if (std::exchange(producer.was_heard, false) || is_late) producer.last_activity_ms = now_ms;
  }
}

std::size_t ProducerState::expire(std::int64_t older_than_ms, std::int64_t now_ms) {
  date_heard(now_ms);
  return std::erase_if(producers_, [&](const auto& entry) {
    return entry.second.open_first_offset < 0 && entry.second.last_activity_ms < older_than_ms;
  });
}

}  // namespace seriatim::partition
