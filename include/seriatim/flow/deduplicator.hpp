/// @file
/// `Deduplicator`: a window of message ids, checked and updated in one commit with the effect of a message.
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/export.hpp>
#include <seriatim/result.hpp>
#include <seriatim/transaction.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

struct DeduplicatorOptions {
  /// The owner's name, across restarts: 1..80 bytes without a zero byte. An instance that opens the same name
  /// later fences the one before.
  std::string name{};
  /// An id is remembered for so long by the wall clock, 1 ms or more; the largest value means for ever.
  std::chrono::milliseconds window_time{std::chrono::hours(24)};
  /// So many ids are remembered, 1 or more: those that were recorded last, and up to a 64th more.
  std::uint64_t window_count = 1'000'000;
  /// The longest result that is kept with an id, 0 .. 1'000'000 bytes.
  std::size_t result_bytes_max = std::size_t{64} << 10U;
  /// Transactions that `begin` gives at a time, 1..64.
  std::size_t transactions_max = 4;
  /// How long `check` waits while another transaction has the id in hand, and `begin` while all transactions
  /// are in use. 0 ms or more. Two transactions that wait for ids of one another wait until it is over.
  std::chrono::milliseconds wait{0};
  /// Of all transactions of `begin`. The transactional_id is the deduplicator's own: leave it empty.
  TransactionalProducerOptions transactions{};
  /// Erases what has left the window as a task of the engine. False: the owner calls `sweep` now and then.
  bool sweeps_in_background = true;
};

/// The answer for an id.
struct DedupeSeen {
  /// Nobody has recorded this id: the caller is to handle its message, and to `record` it.
  bool is_first = false;
  /// The result that was recorded with it, if there was one.
  std::optional<std::string> result{};
  /// When it was recorded; of a first the time of the call.
  Timestamp time{};
};

/// The number of answers since `open`.
struct DedupeCounts {
  std::uint64_t firsts = 0;      ///< Ids that were committed.
  std::uint64_t duplicates = 0;  ///< Checks that found one.
  std::uint64_t refusals = 0;    ///< Checks of an id that another transaction had in hand.
  std::uint64_t swept = 0;       ///< Ids that were erased behind the window.
  std::uint64_t ids = 0;         ///< Ids that are stored now, those behind the window too.
};

/// Handles a message in its transaction.
/// @return a result to be kept for its duplicates, or nothing.
using DedupeHandler = std::function<Result<std::optional<std::string>>(Transaction& transaction)>;

namespace detail {
struct DeduplicatorImpl;
struct DedupeWork;
}  // namespace detail

/// A transaction, and the ids that it has in hand: no other transaction gets the answer "first" for one of
/// them before this one has ended. Made by `Deduplicator`; may outlive it. Its destructor aborts a
/// transaction that was not committed.
///
/// Threads: one at a time.
class SERIATIM_API DedupeTransaction {
 public:
  DedupeTransaction(DedupeTransaction&&) noexcept;
  DedupeTransaction& operator=(DedupeTransaction&&) noexcept;
  ~DedupeTransaction();

  /// Where the effects of messages go. Not on a handle that was moved from.
  Transaction& transaction() & noexcept;

  /// Whether a message of this id was handled before, by a transaction that was committed or by this one. If
  /// it is the first, this transaction has the id in hand until it ends.
  /// @param id  1..400 bytes.
  /// Errors: invalid_argument · concurrent_transactions: another transaction has this id in hand, and it is
  /// not known whether it will be committed: try again later, and count the message neither as handled nor as
  /// new · corrupt_metadata · producer_fenced, transaction_abortable, invalid_txn_state as
  /// Transaction::send · closed.
  /// Cost: as TransactionTable::get.
  Result<DedupeSeen> check(std::string_view id);
  /// Stores the id, and the result if it is not null, when the transaction commits. Of two calls for one id
  /// the last counts.
  /// Errors: invalid_state: `check` has not said in this transaction that it is the first ·
  /// record_too_large: the result is longer than result_bytes_max; or as TransactionTable::put. Nothing
  /// changed then · as Transaction::send.
  Result<> record(std::string_view id, BytesView result = {});
  /// An idempotent handler: for a first, runs `handler` and records the id with what it returned; for a
  /// duplicate returns the result of the first.
  /// Errors: as `check` and `record`; that of the handler, or its exception: nothing is recorded; what it has
  /// changed in the transaction already is there, so abort it.
  Result<DedupeSeen> once(std::string_view id, const DedupeHandler& handler);

  /// As Transaction::commit, which may be called instead.
  /// Errors: as there. With Outcome::unknown call it again; where this is destroyed before it is known, the
  /// deduplicator keeps the ids in hand and asks again by itself.
  Result<> commit();
  /// As Transaction::abort.
  /// Errors: as there.
  Result<> abort();

 private:
  friend struct detail::DeduplicatorImpl;
  DedupeTransaction(std::shared_ptr<detail::DeduplicatorImpl> impl,
                    std::unique_ptr<detail::DedupeWork> work) noexcept;
  void end() noexcept;
  std::shared_ptr<detail::DeduplicatorImpl> impl_;
  std::unique_ptr<detail::DedupeWork> work_;
};

/// Remembers the ids of messages that were handled, so that a message that comes again has no effect again.
/// The window is state (`Engine::state`): an id becomes true in one commit with the effect of its message,
/// and survives what that survives.
///
/// An id is a duplicate as long as it is in the window by time and by count. Where the wall clock is set
/// forward, ids leave the window that much earlier; where it is set back, that much later.
///
/// @code
///   auto seen_orders = Deduplicator::open(engine, {.name = "orders"}).value();
///   auto work = seen_orders.begin().value();
///   if (work.check(message_id).value().is_first) {
///     work.transaction().send({.topic = "orders", .value = order}).value();
///     work.record(message_id).value();
///   }
///   work.commit().value();
/// @endcode
///
/// Threads: any.
class SERIATIM_API Deduplicator {
 public:
  /// Errors: invalid_argument (an option out of range), invalid_transaction_timeout, read_only, closed,
  /// invalid_state; corrupt_metadata; as Engine::transactional_producer.
  /// Cost: reads all ids that are stored.
  static Result<Deduplicator> open(const Engine& engine, DeduplicatorOptions options);

  Deduplicator(Deduplicator&&) noexcept;
  Deduplicator& operator=(Deduplicator&&) noexcept;
  ~Deduplicator();

  /// Begins a transaction of this name. The next instance of the name fences it: of all that any instance
  /// began, an id has its effect once.
  /// Errors: concurrent_transactions: `transactions_max` are in use, or their ends are not known yet · as
  /// TransactionalProducer::begin.
  Result<DedupeTransaction> begin();
  /// The same for a transaction of this engine that has a transactional id of the application's own. Between
  /// instances of one name there is no promise for it: an older one is refused here, but a transaction that
  /// it had joined before is not fenced.
  /// Errors: producer_fenced · closed, storage_failed · concurrent_transactions: the deduplicator's own
  /// transaction before is not ended yet.
  Result<DedupeTransaction> join(Transaction transaction);

  /// Takes an id out of the window: its next message is a first. Durable as a commit of `transactions.acks`.
  /// @return whether it was there.
  /// Errors: as DedupeTransaction::check; as Transaction::commit.
  Result<bool> forget(std::string_view id);
  /// Goes through all ids, and erases those that have left the window.
  /// @return how many.
  /// Errors: as Transaction::commit: some may be left.
  Result<std::uint64_t> sweep();
  DedupeCounts counts() const;

 private:
  friend struct detail::DeduplicatorImpl;
  explicit Deduplicator(std::shared_ptr<detail::DeduplicatorImpl> impl) noexcept;
  std::shared_ptr<detail::DeduplicatorImpl> impl_;
};

/// An id as it is stored.
struct DedupeEntry {
  std::string id{};
  Timestamp time{};
  std::optional<std::string> result{};
};

/// A window as it is stored.
struct DedupeDescription {
  std::string name{};
  std::chrono::milliseconds window_time{};  ///< As the last `Deduplicator::open` set it.
  std::uint64_t window_count = 0;
  std::uint64_t ids = 0;  ///< With those that have left the window and are not erased yet.
  std::uint64_t results = 0;
  std::uint64_t result_bytes = 0;
  std::optional<Timestamp> oldest{};
  std::optional<Timestamp> newest{};
};

/// Names that a `Deduplicator` was opened with, sorted. Also in a read-only engine.
/// Errors: as Admin::list_states.
/// Threads: any.
SERIATIM_API Result<std::vector<std::string>> list_deduplicators(const Engine& engine);
/// Errors: not_found · corrupt_metadata · as State::scan.
/// Threads: any.
/// Cost: reads all ids.
SERIATIM_API Result<DedupeDescription> describe_deduplicator(const Engine& engine, std::string_view name);
/// Ids of a name in byte order, from the first that is not below `from_id` (empty: from the beginning), at
/// most `limit`. For the next page go on from the last id with a zero byte behind it.
/// Errors: corrupt_metadata · as State::scan.
/// Threads: any.
SERIATIM_API Result<std::vector<DedupeEntry>> list_dedupe_ids(const Engine& engine, std::string_view name,
                                                              std::string_view from_id, std::size_t limit);
/// Forgets all ids, and the name, also where rows are damaged. An instance that is open is fenced.
/// @return how many ids.
/// Errors: not_found · as Transaction::commit: some may be left, and the name with them.
/// Threads: any.
SERIATIM_API Result<std::uint64_t> delete_deduplicator(const Engine& engine, std::string_view name);

}  // namespace v0
}  // namespace seriatim
