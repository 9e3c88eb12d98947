// How far a worker has come with the records of one poll.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include <seriatim/record.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {

/// The records are handled in parts, mostly of all that are left: one `begin` and `finish` each.
class ProcessorBatch {
 public:
  explicit ProcessorBatch(const ConsumerRecords& records) : records_(records), to_(records.count()) {}

  bool is_done() const noexcept { return from_ == records_.count(); }
  /// Null: the part has been handled.
  const RecordView* current() const noexcept { return at_ < to_ ? &records_[at_] : nullptr; }
  bool is_current_skipped() const { return skipped_.contains(at_); }
  void pass() noexcept { ++at_; }
  void skip() { skipped_.insert(at_); }

  void end_part() noexcept {
    from_ = at_ = to_;
    to_ = records_.count();
  }
  /// All of the part is to be handled again; up to the record that failed, if that is not the first.
  void repeat_part() noexcept {
    if (at_ > from_ && at_ < to_) to_ = at_;
    at_ = from_;
  }

  /// Where the group goes on behind this part.
  TopicPartitionOffsets behind_part() const { return behind(to_); }
  /// With the current record as the next one, and with the one after it.
  TopicPartitionOffsets before_current() const { return behind(at_); }
  TopicPartitionOffsets behind_current() const { return behind(at_ < to_ ? at_ + 1 : at_); }

 private:
  TopicPartitionOffsets behind(std::size_t count) const {
    // Behind markers too, where a partition has no record left.
    TopicPartitionOffsets offsets = records_.next_offsets();
    for (std::size_t i = records_.count(); i > count; --i) {
      const RecordView& left = records_[i - 1];
      offsets[{std::string(left.topic()), left.partition()}].offset = left.offset();
    }
    return offsets;
  }

  const ConsumerRecords& records_;
  std::set<std::size_t> skipped_{};
  std::size_t from_ = 0;  ///< The part.
  std::size_t to_;
  std::size_t at_ = 0;  ///< The next record to handle.
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
