// The holder of a transactional id, and the one transaction it may have open.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/assert.hpp"
#include "base/mutex.hpp"
#include "format/batch/frame.hpp"
#include "format/journal/journal_decision.hpp"
#include "partition/partition.hpp"
#include "transaction/release_queue.hpp"

namespace seriatim::transaction {

/// A partition that a transaction has written to.
struct Enlisted {
  partition::Partition* partition = nullptr;  ///< Kept by the holder.
  format::Id topic_id{};
  Offset first_offset = -1;
  Offset last_offset = -1;
  Sequence next_sequence = 0;
  /// A batch of it has no frame in the journal, so that its segment has to be synced before the decision.
  bool needs_sync = false;
  bool has_marker = false;
  partition::PartitionAppend marker{};  ///< With it: what is to be released, and whether to be flushed.
};

/// The identity that the records of a holder's next transaction carry.
struct ProducerIdAndEpoch {
  ProducerId id = -1;
  ProducerEpoch epoch = -1;
  bool operator==(const ProducerIdAndEpoch&) const = default;
};

/// One that is read while it changes. A word: ids begin at 2^40 and are counted up, so that 48 bits hold
/// them. One thread at a time stores.
class SharedIdentity {
 public:
  ProducerIdAndEpoch load() const noexcept {
    const std::int64_t word = word_.load(std::memory_order_acquire);
    return {word >> epoch_bits, static_cast<ProducerEpoch>(word)};
  }
  void store(const ProducerIdAndEpoch& identity) noexcept {
    SERIATIM_ASSERT(identity.id < ProducerId{1} << (63 - epoch_bits));
    word_.store(identity.id * (std::int64_t{1} << epoch_bits) + static_cast<std::uint16_t>(identity.epoch),
                std::memory_order_release);
  }

 private:
  static constexpr int epoch_bits = 16;
  static constexpr std::int64_t nobody = -1;

  std::atomic<std::int64_t> word_{nobody};
};

/// How a transaction stands. Kafka's PrepareCommit and PrepareAbort are `committing` and `aborting`; its
/// Complete states are `empty`.
enum class Phase : std::uint8_t {
  empty,       ///< None is open.
  ongoing,     ///< Begun, and perhaps written to.
  committing,  ///< The decision is in the journal, or on its way there.
  aborting,    ///< Given up; markers are missing.
};

/// How the last transaction ended.
enum class Ending : std::uint8_t {
  none,
  committed,
  aborted,
  timed_out,  ///< Aborted because it was open for too long.
  withdrawn,  ///< Aborted by an administrator.
};

/// The changes that a transaction is to make beside the logs, gathered while it is open. With the holder's
/// mutex held.
class DecisionEffects {
 public:
  virtual ~DecisionEffects() = default;
  virtual bool is_empty() const noexcept = 0;
  /// The bytes that they take at most in the decision's payload.
  virtual std::size_t bytes() const noexcept = 0;
  /// Adds its positions, state and deaths to a decision, which views them until `clear`.
  virtual void describe(format::JournalDecision& decision) const = 0;
  /// Makes them true: once their decision is safe, before anybody sees its records.
  virtual void apply(std::uint64_t lsn) = 0;
  /// The transaction has ended, in whatever way.
  virtual void clear() noexcept = 0;
};

/// One open handle of a transactional id. A later holder of the same id is another object.
struct Holder {
  Holder(std::string transactional_id, std::chrono::milliseconds time_out)
      : id(std::move(transactional_id)), timeout(time_out) {}

  const std::string id;
  const std::chrono::milliseconds timeout;

  /// Changed with `mutex` held; can be read while a commit waits for the disk.
  ProducerIdAndEpoch identity() const noexcept { return producer.load(); }
  void set_identity(const ProducerIdAndEpoch& changed) noexcept { producer.store(changed); }

  /// Held over every step, so that the engine's abort of a transaction meets it between two of them.
  mutable base::WordMutex mutex;
  SharedIdentity producer;
  static constexpr std::uint64_t all_settled = std::numeric_limits<std::uint64_t>::max();
  /// The LSN of a decision whose markers are missing, or any below it; stored with the mutex held.
  std::atomic<std::uint64_t> unsettled_lsn{all_settled};
  bool is_fenced SERIATIM_GUARDED_BY(mutex) = false;
  Phase phase SERIATIM_GUARDED_BY(mutex) = Phase::empty;
  /// Of the open transaction, or the last one.
  std::uint64_t number SERIATIM_GUARDED_BY(mutex) = 0;
  Ending ending SERIATIM_GUARDED_BY(mutex) = Ending::none;
  std::int64_t started_ms SERIATIM_GUARDED_BY(mutex) = -1;
  std::int64_t deadline_ms SERIATIM_GUARDED_BY(mutex) = 0;
  /// An append left it unknown whether its batch is there.
  bool must_abort SERIATIM_GUARDED_BY(mutex) = false;
  std::vector<Enlisted> enlisted SERIATIM_GUARDED_BY(mutex);
  /// That the open transaction and the one before wrote to: mostly the same, and shared ownership is taken
  /// and given up with a locked instruction each.
  std::vector<partition::PartitionPtr> partitions SERIATIM_GUARDED_BY(mutex);
  // Of a commit on its way.
  std::uint64_t decision_lsn SERIATIM_GUARDED_BY(mutex) = 0;
  std::int64_t decided_ms SERIATIM_GUARDED_BY(mutex) = -1;
  bool is_durable_wanted SERIATIM_GUARDED_BY(mutex) = false;
  bool is_decided SERIATIM_GUARDED_BY(mutex) = false;  ///< The decision is safe, and was applied.
  /// Of whichever transaction is open; here, since the engine may have to finish its commit.
  /// nullptr: nothing but records.
  std::unique_ptr<DecisionEffects> effects SERIATIM_GUARDED_BY(mutex);
  // Kept for their room only.
  EndedParts ended SERIATIM_GUARDED_BY(mutex);
  format::JournalDecision decision SERIATIM_GUARDED_BY(mutex);
  std::vector<std::byte> payload SERIATIM_GUARDED_BY(mutex);
};

using HolderPtr = std::shared_ptr<Holder>;

}  // namespace seriatim::transaction
