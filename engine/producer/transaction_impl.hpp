// Behind `TransactionalProducer` and `Transaction`.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/transaction.hpp>

#include "base/mutex.hpp"
#include "directory/engine_impl.hpp"
#include "group/membership/group_coordinator.hpp"
#include "group/offset_store.hpp"
#include "group/share/share_partition.hpp"
#include "group/undecided_offsets.hpp"
#include "producer/producer_impl.hpp"
#include "transaction/transaction_coordinator.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Records that a share group gives up: ascending, and archiving in the partition's window.
struct ShareDeaths {
  group::SharePartitionPtr partition{};
  std::vector<group::OffsetRun> runs{};
};

/// The changes of a transaction beside the logs.
struct TransactionEffects final : transaction::DecisionEffects {
  using StateKey = std::pair<std::string, std::string>;  // name and key

  explicit TransactionEffects(EngineImpl& of) noexcept : engine(of) {}
  bool is_empty() const noexcept override { return positions.empty() && state.empty() && deaths.empty(); }
  std::size_t bytes() const noexcept override { return bytes_taken; }
  void describe(format::JournalDecision& decision) const override;
  void apply(std::uint64_t lsn) override;
  void clear() noexcept override;

  EngineImpl& engine;  ///< Outlives the commit: it is the coordinator's owner.
  std::vector<std::pair<std::string, std::vector<group::PositionCommit>>> positions{};  ///< By group.
  /// Until the decision nobody else gets the partitions of these positions.
  std::vector<group::CommitTicket> tickets{};
  std::vector<group::UndecidedOffsets::Sending> sendings{};  ///< Until then none of these expires.
  std::map<StateKey, state::StateStore::Value> state{};
  /// Records of share groups whose letters the transaction writes.
  std::vector<ShareDeaths> deaths{};
  std::size_t bytes_taken = 0;  ///< By all of it in the decision.
};

struct TransactionalProducerImpl : std::enable_shared_from_this<TransactionalProducerImpl> {
  static Result<TransactionalProducer> create(std::shared_ptr<EngineImpl> engine,
                                              TransactionalProducerOptions options);
  TransactionalProducerImpl(std::shared_ptr<EngineImpl> engine, TransactionalProducerOptions options,
                            transaction::HolderPtr holder);

  Result<Transaction> begin();
  /// Behind an open transaction that was not moved from.
  static TransactionImpl& of(const Transaction& transaction) noexcept { return *transaction.impl_; }

  const std::shared_ptr<EngineImpl> engine;
  const TransactionalProducerOptions options;
  const transaction::HolderPtr holder;
  /// The holder's, of whichever transaction is open.
  TransactionEffects* const effects SERIATIM_PT_GUARDED_BY(holder->mutex);
  /// Frames the records and finds their partitions.
  const std::shared_ptr<ProducerImpl> producer;
};

struct TransactionImpl {
  TransactionImpl(std::shared_ptr<TransactionalProducerImpl> owner, std::uint64_t transaction_number)
      : producer(std::move(owner)), number(transaction_number) {}
  ~TransactionImpl();
  TransactionImpl(const TransactionImpl&) = delete;
  TransactionImpl& operator=(const TransactionImpl&) = delete;

  Result<RecordMetadata> send(const ProducerRecord& record);
  Result<AppendResult> append(const TopicPartition& at, std::span<const Record> records);
  Result<> send_offsets(const TopicPartitionOffsets& offsets, const ConsumerGroupMetadata& group);
  /// Whether a value may be put into a table of this name.
  /// Errors: invalid_argument: the table does not exist, and its name is one of the library's.
  Result<> check_table(const std::string& name, bool is_own);
  /// Archives the records with the commit: until then they wait, and an abort leaves them waiting. For share
  /// groups; applications have no such function.
  /// Errors: invalid_argument: no record, or out of order · as check_room; the transaction is as it was then.
  Result<> bury(ShareDeaths deaths);
  Result<> change_state(const std::string& name, BytesView key, state::StateStore::Value value);
  Result<std::optional<std::vector<std::byte>>> state_value(const std::string& name, BytesView key);
  Result<> commit();
  Result<> abort();
  bool is_open() const;

  const std::shared_ptr<TransactionalProducerImpl> producer;
  const std::uint64_t number;

 private:
  enum class End : std::uint8_t { none, committed, aborted };

  Result<> check_open() const;
  ProducerImpl::Within within() const;
  /// The changes that the commit is to make beside the logs, to be added to.
  /// Errors: as TransactionCoordinator::check_open.
  Result<TransactionEffects*> effects() const SERIATIM_REQUIRES(producer->holder->mutex);
  /// Errors: as TransactionCoordinator::check_room.
  Result<> check_room(std::int64_t more) const SERIATIM_REQUIRES(producer->holder->mutex);

  std::atomic<End> end_{End::none};
  std::atomic<bool> is_decision_sought_{false};  ///< A commit did not learn its outcome.
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
