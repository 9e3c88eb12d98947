// Stores messages that are not due yet.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <seriatim/flow/delayed_messages.hpp>
#include <seriatim/producer.hpp>
#include <seriatim/result.hpp>
#include <seriatim/transaction.hpp>

#include "flow/delayed/delayed_horizon.hpp"
#include "flow/delayed/delayed_ids.hpp"
#include "flow/delayed/delayed_row_writer.hpp"
#include "flow/delayed/delayed_tables.hpp"
#include "flow/recipe_clock.hpp"

namespace seriatim::flow {

/// Threads: any.
class DelayedScheduler {
 public:
  /// Of nobody else.
  struct Producers {
    std::vector<TransactionalProducer> transactional;
    Producer checker;  ///< Knows what a topic takes.
  };
  /// @param tables  outlive this.
  DelayedScheduler(const DelayedTables& tables, RecipeClock clock, Producers producers);

  /// In one transaction of its own.
  Result<std::vector<DelayedPosition>> schedule(std::span<const DelayedRecord> records);
  /// In the caller's.
  Result<DelayedPosition> stage(Transaction& transaction, const DelayedRecord& record);

 private:
  /// While it lives, no other call of `schedule` has these ids.
  class Claims;
  /// A writer that no other call uses.
  class Lease;

  Result<std::vector<DelayedPosition>> stage_all(Transaction& transaction,
                                                 std::span<const DelayedRecord> records);
  Result<> check(const DelayedRecord& record, Timestamp due) const;
  Result<> check_free(Transaction& transaction, std::string_view id) const;

  const DelayedTables& tables_;
  const RecipeClock now_;
  const Producer checker_;
  DelayedIds ids_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string, std::less<>> claimed_{};
  std::vector<std::unique_ptr<DelayedRowWriter>> idle_{};  ///< Of those that no call uses. They hold claims.
};

}  // namespace seriatim::flow
