// Behind `Deduplicator`. The window is the state "__dedupe:NAME" by id; "__dedupe_window:NAME" says its limits.
// Transactional ids "dedupe:NAME:0" (its own changes) and "dedupe:NAME:1" and so on (those of `begin`): whoever
// opens the name holds all of these, so that an older holder commits nothing any more.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/flow/deduplicator.hpp>
#include <seriatim/state.hpp>
#include <seriatim/task.hpp>
#include <seriatim/transaction.hpp>

#include "flow/dedupe/dedupe_codec.hpp"
#include "flow/dedupe/dedupe_window.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// The time of day in milliseconds. Any thread.
using DedupeClock = std::function<Timestamp()>;
Timestamp dedupe_system_time();

/// An id in the hand of a transaction.
struct DedupeHeld {
  bool is_claimed = false;                     ///< Else it is not in hand yet.
  std::optional<flow::DedupeMark> before{};    ///< Its row, if that has left the window.
  std::optional<flow::DedupeMark> recorded{};  ///< By this transaction.
  bool is_erased = false;                      ///< By this transaction.
};

/// A transaction with its ids.
struct DedupeWork {
  explicit DedupeWork(Transaction begun) : transaction(std::move(begun)) {}
  Transaction transaction;
  std::optional<TransactionalProducer> slot{};  ///< Of those of `begin`; comes back at the end.
  std::map<std::string, DedupeHeld, std::less<>> held{};
  bool is_over = false;
};

struct DeduplicatorImpl : std::enable_shared_from_this<DeduplicatorImpl> {
  /// @param options  in their ranges.
  static Result<Deduplicator> open(const Engine& engine, DeduplicatorOptions options,
                                   DedupeClock clock = dedupe_system_time);

  /// Forgets a name that is stored.
  static Result<std::uint64_t> purge_name(const Engine& engine, DeduplicatorOptions options);

  static DeduplicatorImpl& of(const Deduplicator& handle) noexcept { return *handle.impl_; }

  DeduplicatorImpl(State table, TransactionalProducer own, DeduplicatorOptions given, DedupeClock clock);

  // As Deduplicator.
  Result<DedupeTransaction> begin();
  Result<DedupeTransaction> join(Transaction transaction);
  Result<bool> forget(std::string_view id);
  Result<std::uint64_t> sweep();
  DedupeCounts counts() const;

  // As DedupeTransaction.
  Result<DedupeSeen> check(DedupeWork& work, std::string_view id);
  Result<> record(DedupeWork& work, std::string_view id, BytesView result);
  Result<> commit(DedupeWork& work);
  Result<> abort(DedupeWork& work);
  /// Ends a transaction whatever it takes: one whose end is not known is kept, and asked again.
  void put_away(std::unique_ptr<DedupeWork> work) noexcept;

  /// Ends the sweeps in the background. Idempotent.
  void stop() noexcept { task_.reset(); }
  /// A run of the task: sweeps a page where it is worth it.
  Result<std::chrono::nanoseconds> sweep_in_background();

 private:
  enum class Holder : std::uint8_t {
    transaction,  ///< In hand until it ends.
    own,          ///< Of a change of our own, which is under way.
    undecided,    ///< Nobody knows how it ended.
  };
  enum class End : std::uint8_t { committed, aborted, unknown };
  using Lock = std::unique_lock<std::mutex>;

  // deduplicator_open.cpp
  Result<> open_slots(const Engine& engine);
  Result<> fence_others(const Engine& engine);
  Result<> load();
  Result<> store_limits(const Engine& engine);

  // deduplicator_claims.cpp
  /// Takes an id in hand. Errors: concurrent_transactions: it is in other hands.
  Result<> claim(std::string_view id, Holder holder);
  bool try_claim(const std::string& id, Holder holder);
  /// Takes an id in the hand of `work`, and reads its row. Where that fails, the id is let go.
  Result<std::optional<flow::DedupeRow>> take(DedupeWork& work, std::string_view id, Holder holder);
  void let_go(DedupeWork& work, std::string_view id) noexcept;
  static End end_of(Transaction& transaction);
  /// Behind the end of a transaction: counts, and lets go of its ids.
  void finish(DedupeWork& work, End end) noexcept;
  /// Asks again about transactions whose end is not known.
  void settle();

  void give_back(TransactionalProducer slot) noexcept;
  /// Of an id that is in the hand of `transaction`.
  Result<std::optional<flow::DedupeRow>> row_of(Transaction& transaction, std::string_view id) const;
  bool holds(const flow::DedupeMark& mark, Timestamp now) const;
  DedupeSeen duplicate(flow::DedupeRow row);
  static Result<> check_id(std::string_view id);

  /// Fences who had the name; its rows are not read yet.
  static Result<std::shared_ptr<DeduplicatorImpl>> make(const Engine& engine, DeduplicatorOptions options,
                                                        DedupeClock clock);
  /// Erases all ids, and the name.
  Result<std::uint64_t> purge();
  // dedupe_sweep.cpp
  struct SweptPage {
    std::uint64_t erased = 0;
    bool is_last = false;
  };
  /// A change of our own. Under `own_mutex_`, with all that ends it.
  Result<DedupeTransaction> begin_own();
  Result<> commit_own(DedupeTransaction& own);
  Result<SweptPage> sweep_page(std::string& cursor);
  Result<bool> erase_if_outside(DedupeTransaction& own, const std::string& id);
  /// @return how many of `ids` were erased: all, or as many as a transaction takes.
  Result<std::size_t> erase_all(const std::vector<std::string>& ids);
  bool is_sweep_due();

  const State table_;
  const DeduplicatorOptions options_;
  const DedupeClock now_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Holder, std::less<>> claims_{};
  std::vector<TransactionalProducer> idle_{};
  std::vector<std::unique_ptr<DedupeWork>> undecided_{};
  flow::DedupeWindow window_;
  DedupeCounts counts_{};

  std::mutex own_mutex_;  ///< One change of our own at a time; before `mutex_`.
  TransactionalProducer own_;
  std::string cursor_{};  ///< Where the sweep goes on. Under `own_mutex_`.
  std::optional<Timestamp> last_pass_{};
  bool is_passing_ = false;
  std::optional<Task> task_{};
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
