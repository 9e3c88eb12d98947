// Behind `Deduplicator`. The window is the state "__dedupe:NAME" by id; "__dedupe_window:NAME" has its
// limits. Transactional ids "dedupe:NAME:0" (own changes) and "dedupe:NAME:1" and so on (those of `begin`):
// the instance that opened the name last holds all of these, so that an older one commits nothing any more.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/flow/deduplicator.hpp>
#include <seriatim/state.hpp>
#include <seriatim/task.hpp>
#include <seriatim/transaction.hpp>

#include "flow/dedupe/dedupe_claims.hpp"
#include "flow/dedupe/dedupe_codec.hpp"
#include "flow/dedupe/dedupe_ledger.hpp"
#include "flow/dedupe/dedupe_slots.hpp"
#include "flow/dedupe/dedupe_sweeper.hpp"
#include "flow/dedupe/dedupe_work.hpp"
#include "flow/recipe_clock.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

struct DeduplicatorImpl : std::enable_shared_from_this<DeduplicatorImpl> {
  /// @param options  in their ranges.
  static Result<Deduplicator> open(const Engine& engine, DeduplicatorOptions options,
                                   flow::RecipeClock clock = flow::system_time);
  /// Forgets a name that is stored.
  static Result<std::uint64_t> purge_name(const Engine& engine, DeduplicatorOptions options);
  static DeduplicatorImpl& of(const Deduplicator& handle) noexcept { return *handle.impl_; }

  DeduplicatorImpl(State table, TransactionalProducer own, DeduplicatorOptions given,
                   flow::RecipeClock clock);

  // As Deduplicator.
  Result<DedupeTransaction> begin();
  Result<DedupeTransaction> join(Transaction transaction);
  Result<bool> forget(std::string_view id);
  DedupeCounts counts() const { return ledger_.counts(); }
  DedupeSweeper& sweeper() noexcept { return sweeper_; }
  /// Ends the sweeps in the background. Idempotent.
  void stop() noexcept { task_.reset(); }

  // As DedupeTransaction.
  Result<DedupeSeen> check(DedupeWork& work, std::string_view id);
  Result<> record(DedupeWork& work, std::string_view id, BytesView result);
  Result<> commit(DedupeWork& work);
  Result<> abort(DedupeWork& work);
  /// Ends a transaction whatever it takes: one whose end is not known is kept, and asked again.
  void put_away(std::unique_ptr<DedupeWork> work) noexcept;
  /// Asks again about transactions whose end is not known.
  void settle();

 private:
  friend class DedupeSweeper;
  enum class End : std::uint8_t { committed, aborted, unknown };

  // deduplicator_open.cpp
  /// Fences who had the name; its rows are not read yet.
  static Result<std::shared_ptr<DeduplicatorImpl>> make(const Engine& engine, DeduplicatorOptions options,
                                                        flow::RecipeClock clock);
  Result<> open_slots(const Engine& engine);
  Result<> fence_others(const Engine& engine);
  Result<> load();
  Result<> store_limits(const Engine& engine);

  /// Takes an id in the hand of `work`, and reads its row. Where that fails, the id is let go.
  Result<std::optional<flow::DedupeRow>> take(DedupeWork& work, std::string_view id);
  void let_go(DedupeWork& work, std::string_view id) noexcept;
  /// Of an id that is in the hand of `transaction`.
  Result<std::optional<flow::DedupeRow>> row_of(Transaction& transaction, std::string_view id) const;
  DedupeSeen duplicate(flow::DedupeRow row);
  static End end_of(Transaction& transaction);
  /// Behind the end of a transaction: counts, and lets go of its ids.
  void finish(DedupeWork& work, End end) noexcept;

  const State table_;
  const DeduplicatorOptions options_;
  const flow::RecipeClock now_;
  flow::DedupeClaims claims_;
  flow::DedupeSlots slots_;
  flow::DedupeLedger ledger_;
  DedupeSweeper sweeper_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<DedupeWork>> undecided_{};  ///< Their ends are not known. Under the mutex.
  std::optional<Task> task_{};
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
