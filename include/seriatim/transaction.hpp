/// @file
/// `TransactionalProducer` and `Transaction`: records, positions and state that become true together, or not
/// at all.
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/export.hpp>
#include <seriatim/producer.hpp>
#include <seriatim/record.hpp>
#include <seriatim/result.hpp>
#include <seriatim/topic_config.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// Options of a transactional producer. Names and defaults are Kafka's where it has them.
struct TransactionalProducerOptions {
  /// The holder's name, across restarts of the application: 1..255 bytes without a zero byte, not beginning
  /// with "__". An application that opens the same id later fences the one before.
  std::string transactional_id{};
  /// The fault that a commit survives once it has returned: `all`, power loss; `leader`, the death of the
  /// process, without a wait for the disk. `none` is refused. All or nothing holds at either, after any
  /// fault; a power cut that takes a commit at `leader` takes every later commit with it, none of which was
  /// acknowledged at `all`.
  Acks acks = Acks::all;
  /// How long a transaction may stay open, from `begin` on: 1 ms to EngineOptions::transaction_max_timeout.
  /// After that the engine aborts it, because every read_committed reader of its partitions waits for it.
  std::chrono::milliseconds transaction_timeout{60'000};
  CompressionType compression_type = CompressionType::uncompressed;
  std::optional<int> compression_level{};
  Partitioning partitioning = Partitioning::by_key;
  /// Overrules `partitioning` when set.
  Partitioner partitioner{};
};

namespace detail {
struct TransactionalProducerImpl;
struct TransactionImpl;
struct OwnTables;
}  // namespace detail

/// A named table as one transaction sees and changes it. Made by `Transaction::state`; valid while that
/// transaction lives.
///
/// Threads: as Transaction.
class SERIATIM_API TransactionTable {
 public:
  /// Sets the value of a key, when the transaction commits. Both are copied.
  /// @param key  1..400 bytes.
  /// @param value  up to 1 MiB; not null.
  /// Errors: invalid_argument · record_too_large: with it the transaction would decide on more than
  /// EngineOptions::transaction_max_bytes; it is as before · invalid_txn_state, transaction_abortable,
  /// producer_fenced as `Transaction::send`.
  Result<> put(BytesView key, BytesView value);
  /// Takes a key away, when the transaction commits. One that is not there is no error.
  /// Errors: as `put`.
  Result<> erase(BytesView key);
  /// The value with the changes of this transaction; nothing if there is none.
  /// Errors: as `put`; corrupt_metadata.
  /// Cost: a look-up in memory, or a short read transaction of LMDB.
  Result<std::optional<std::vector<std::byte>>> get(BytesView key) const;

 private:
  friend class Transaction;
  TransactionTable(detail::TransactionImpl* impl, std::string name, bool is_own) noexcept;
  detail::TransactionImpl* impl_;
  std::string name_;
  bool is_own_;  // A table of this library, under a name that applications may not use.
};

/// One transaction: begun by `TransactionalProducer::begin`, ended by `commit` or `abort`, or aborted by its
/// destructor. For one use: a late call never reaches a later transaction.
///
/// Records are appended at once, in the caller's thread, and have their offsets; readers with
/// IsolationLevel::read_committed see them, of all partitions together, once the transaction is committed,
/// and never if it is not. One that is open holds up every read_committed reader of the partitions that it
/// has written to, so keep transactions short.
///
/// Threads: any; calls on one transaction wait for one another.
class SERIATIM_API Transaction {
 public:
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) noexcept;
  /// Aborts, unless it has ended. An error of that is reported to the log sink, and the abort is tried again
  /// by the engine.
  ~Transaction();

  /// Appends a record.
  ///
  /// Errors:
  ///   - invalid_txn_state: the transaction was committed or aborted.
  ///   - transaction_abortable: it was aborted by its time-out, or an earlier append left it unknown what was
  ///     written: abort, and begin again.
  ///   - producer_fenced: somebody opened the transactional id again.
  ///   - as `Producer::send` (unknown_topic_or_partition, record_too_large, storage_full, ...): not written;
  ///     the transaction goes on. record_too_large also where a partition is one more than it may decide on
  ///   (EngineOptions::transaction_max_bytes).
  /// Durability: with the transaction.
  /// Cost: as a send with acks = leader; where the transaction's acks are `all`, and a journal frame.
  Result<RecordMetadata> send(const ProducerRecord& record);
  /// Appends records as one batch.
  /// Errors: as `send`; invalid_argument: there are none.
  Result<AppendResult> append(const TopicPartition& at, std::span<const Record> records);

  /// Commits these positions of a consumer group with the transaction: consume, process, produce, exactly
  /// once. Of several for one partition the last counts.
  /// @param group  of Consumer::group_metadata.
  /// Errors: invalid_argument, unknown_topic_or_partition, offset_metadata_too_large as Consumer::commit_sync
  /// · unknown_member_id: `group` names a member that the group does not have · group_id_not_found: it is a
  /// share group · record_too_large as TransactionTable::put · invalid_txn_state, transaction_abortable,
  /// producer_fenced as `send`.
  Result<> send_offsets(const TopicPartitionOffsets& offsets, const ConsumerGroupMetadata& group);

  /// The named key-value table (`Engine::state`), to be changed with this transaction.
  /// @param name  1..100 bytes without a zero byte, and not beginning with "__": applications can only read
  /// such tables, which are the library's own. The first call on the table says what is wrong with the name.
  /// The transaction must outlive what is returned.
  TransactionTable state(std::string_view name) &;

  /// Makes everything true, in one step: one journal frame, and with acks = all one fdatasync for it and all
  /// the records, shared with whoever commits meanwhile. On return read_committed readers of this engine see
  /// it, in all partitions at once; where an older transaction is open in one of them, in none before that
  /// one has ended.
  ///
  /// Errors:
  ///   - transaction_abortable, producer_fenced, as `send`: nothing of it will be seen.
  ///   - invalid_txn_state: aborted before. A transaction that was committed answers ok again.
  ///   - storage_full, io_error, ...: with Outcome::unknown it may be committed already: call `commit` again;
  ///     `abort` is refused until then. Where only the flush failed that `flush.messages` asks for, it is
  ///     committed and seen. Else it is as before the call.
  ///   - storage_failed: reopen the engine; then the transaction is committed whole or aborted whole.
  Result<> commit();
  /// Gives everything up. Idempotent.
  /// Errors: producer_fenced (it is aborted all the same) · invalid_txn_state: it was committed, or may have
  /// been · storage_full, ...: markers are missing; the engine goes on trying.
  Result<> abort();
  /// Whether neither commit nor abort, nor its time-out, has ended it.
  bool is_open() const noexcept;

 private:
  friend struct detail::TransactionalProducerImpl;
  friend struct detail::OwnTables;
  explicit Transaction(std::unique_ptr<detail::TransactionImpl> impl) noexcept;
  TransactionTable own_state(std::string_view name) &;
  std::unique_ptr<detail::TransactionImpl> impl_;
};

/// The holder of a transactional id. Made by `Engine::transactional_producer`, which fences the holder before
/// it and aborts what that left open. Transactions keep it alive.
///
/// Threads: any; one transaction at a time.
class SERIATIM_API TransactionalProducer {
 public:
  TransactionalProducer(TransactionalProducer&&) noexcept;
  TransactionalProducer& operator=(TransactionalProducer&&) noexcept;
  ~TransactionalProducer();

  /// Begins a transaction: nothing is written until something is sent.
  /// Errors: concurrent_transactions: one is open; end it first · producer_fenced · closed · storage_failed.
  Result<Transaction> begin();
  /// The id that the records of the next transaction carry, and its epoch. Every end of a transaction raises
  /// the epoch.
  ProducerId producer_id() const noexcept;
  ProducerEpoch producer_epoch() const noexcept;
  /// Of the options.
  const std::string& transactional_id() const noexcept;

 private:
  friend struct detail::TransactionalProducerImpl;
  explicit TransactionalProducer(std::shared_ptr<detail::TransactionalProducerImpl> impl) noexcept;
  std::shared_ptr<detail::TransactionalProducerImpl> impl_;
};

}  // namespace v0
}  // namespace seriatim
