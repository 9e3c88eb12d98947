// The identity of a producer, as partitions know it: an id, an epoch, and a sequence for every record, by
// which a retry is recognised. Plain producers have none.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/mutex.hpp"
#include "format/batch/frame.hpp"
#include "partition/partition.hpp"

namespace seriatim::transaction {

/// The sequence that a producer expects to come next in one partition; -1: it has to be asked for.
using NextSequence = std::atomic<Sequence>;

/// Threads: any.
class ProducerIdentity {
 public:
  /// @param name  for messages; empty: of a producer without one.
  ProducerIdentity(ProducerId id, ProducerEpoch epoch, std::string name);

  ProducerId id() const noexcept { return id_; }
  ProducerEpoch epoch() const noexcept { return epoch_; }

  /// Refuses every append from now on, and returns once none is under way.
  void fence() noexcept;

  /// One batch on its way into a partition.
  struct Request {
    partition::Partition& partition;
    partition::Durability durability = partition::Durability::published;
    std::int32_t record_count = 1;
    /// From the application; nothing: the next one.
    std::optional<Sequence> first_sequence{};
  };
  /// Appends what `frame` makes of the options it is given, once or, if another thread has taken the sequence
  /// meanwhile, again.
  /// @param options  get the identity. Not a copy: what was just written in parts and is read as a whole
  /// makes the processor wait, a fifth of an append.
  /// @param frame  Result<>(const format::FrameOptions&, format::FramedBatch&).
  /// Errors: producer_fenced · as Partition::append and `frame`.
  template <class Frame>
  Result<partition::PartitionAppend> append(const Request& request, NextSequence& next,
                                            format::FrameOptions& options, const Frame& frame) {
    const Pass pass(*this);
    options.producer_id = id_;
    options.producer_epoch = epoch_;
    const bool is_given = request.first_sequence.has_value();
    Sequence sequence = is_given ? *request.first_sequence : next.load(std::memory_order_relaxed);
    // The only one to be returned, so that it is made where the caller has it, and not moved there.
    auto appended = pass.is_open() ? append_from(sequence, request, options, frame) : fenced();
    while (!appended && !is_given && appended.error().code() == Errc::out_of_order_sequence_number) {
      sequence = -1;
      appended = append_from(sequence, request, options, frame);
    }
    if (appended)
      next.store(format::advance_sequence(sequence, request.record_count), std::memory_order_relaxed);
    return appended;
  }

 private:
  /// Only who has a name can be fenced: the others do not pay for it.
  class Pass {
   public:
    explicit Pass(ProducerIdentity& identity) noexcept
        : identity_(identity.name_.empty() ? nullptr : &identity) {
      if (identity_ != nullptr) identity_->under_way_.fetch_add(1, std::memory_order_seq_cst);
    }
    ~Pass() {
      if (identity_ != nullptr) identity_->under_way_.fetch_sub(1, std::memory_order_release);
    }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    bool is_open() const noexcept {
      return identity_ == nullptr || !identity_->is_fenced_.load(std::memory_order_seq_cst);
    }

   private:
    ProducerIdentity* const identity_;
  };
  Result<partition::PartitionAppend> fenced() const;

  /// @param sequence  -1: becomes what the partition expects.
  template <class Frame>
  Result<partition::PartitionAppend> append_from(Sequence& sequence, const Request& request,
                                                 format::FrameOptions& options, const Frame& frame) {
    if (sequence < 0) sequence = request.partition.next_sequence(id_, epoch_).value_or(0);
    options.base_sequence = sequence;
    format::FramedBatch framed;
    if (auto made = frame(options, framed); !made) return made.error();
    return request.partition.append(
        framed, request.durability,
        request.first_sequence ? partition::SequenceRule::given : partition::SequenceRule::predicted);
  }

  const ProducerId id_;
  const ProducerEpoch epoch_;
  const std::string name_;
  std::atomic<bool> is_fenced_{false};
  std::atomic<std::uint32_t> under_way_{0};
};

/// The named producers that are open: the newest holder of a name fences the one before it. Any thread.
class ProducerNames {
 public:
  /// Makes `identity` the holder of `name`.
  void hold(std::string_view name, const std::shared_ptr<ProducerIdentity>& identity);
  bool is_held(std::string_view name) const;

 private:
  mutable base::Mutex mutex_;
  std::map<std::string, std::weak_ptr<ProducerIdentity>, std::less<>> holders_ SERIATIM_GUARDED_BY(mutex_);
};

}  // namespace seriatim::transaction
