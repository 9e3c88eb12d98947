// Appends what is due to its topics.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/flow/delayed_messages.hpp>
#include <seriatim/producer.hpp>
#include <seriatim/result.hpp>
#include <seriatim/state.hpp>
#include <seriatim/transaction.hpp>

#include "flow/delayed/delayed_horizon.hpp"
#include "flow/delayed/delayed_row_writer.hpp"
#include "flow/delayed/delayed_tables.hpp"
#include "flow/recipe_clock.hpp"

namespace seriatim::flow {

/// Figures that a look at metrics copies.
/// Threads: any.
class DelayedCounters {
 public:
  void delivered(std::uint64_t messages, std::uint64_t parked, std::chrono::milliseconds lateness_max,
                 std::chrono::milliseconds lateness_last) noexcept;
  void failed() noexcept;
  DelayedMetrics copy() const noexcept;

 private:
  mutable std::mutex mutex_;
  DelayedMetrics metrics_{};
};

/// Threads: one pass at a time.
class DelayedDelivery {
 public:
  /// @param checker  knows what a topic takes.
  /// The others outlive this.
  DelayedDelivery(const DelayedTables& tables, DelayedRowWriter& writer, DelayedHorizon& horizon,
                  RecipeClock clock, Producer checker);

  struct Pass {
    std::uint64_t delivered = 0;
    bool is_through = false;  ///< Nothing was left that was due.
    std::chrono::milliseconds sleep{0};
    std::chrono::nanoseconds first_look{0};  ///< How long it took to find the first rows.
  };
  /// Delivers what is due, in at most so many transactions.
  /// Errors: what was delivered before stays so.
  Result<Pass> pass(std::size_t batches_max);
  DelayedMetrics metrics() const noexcept { return counters_.copy(); }

 private:
  /// A row that is due.
  struct Due {
    DelayedPosition at{};
    std::string key{};
    std::vector<std::byte> row{};
  };
  struct Found {
    std::vector<Due> due{};
    std::optional<Timestamp> next{};  ///< Of the first row that is not due.
    bool is_last = false;             ///< No others are due.
  };
  struct Batch;
  /// Of a transaction that was committed.
  struct Tally {
    std::uint64_t delivered = 0;
    std::uint64_t parked = 0;
    Timestamp first_due{};
    Timestamp last_due{};
  };
  /// Why a record never can be appended as things are; nothing: it was.
  using Refusal = Result<std::optional<Error>>;

  Result<Pass> run_pass(std::size_t batches_max, std::string from);
  Result<Found> look(std::string from, Timestamp now) const;
  /// One transaction.
  /// @return how many rows, from the first on, are delivered or parked: 1 or more.
  Result<std::size_t> deliver(DelayedRowWriter::Turn& turn, const std::vector<Due>& due, Pass& pass);
  Result<> stage(Transaction& transaction, Batch& batch, Tally& tally) const;
  Result<> stage_one(Transaction& transaction, const Due& due, Tally& tally) const;
  Refusal send(Transaction& transaction, const ProducerRecord& record) const;
  std::optional<Error> unreadable_pending(const Due& due) const;
  Result<> forget_id(Transaction& transaction, const DelayedPosition& at) const;
  void count(const Tally& tally) noexcept;

  const DelayedTables& tables_;
  DelayedRowWriter& writer_;
  DelayedHorizon& horizon_;
  const RecipeClock now_;
  const Producer checker_;
  const Timestamp opened_;
  std::size_t rows_max_ = 0;  ///< Of a transaction of this pass; fewer where the engine's have less room.
  DelayedCounters counters_{};
};

}  // namespace seriatim::flow
