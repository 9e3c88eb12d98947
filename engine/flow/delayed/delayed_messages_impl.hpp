// Behind `DelayedMessages`. Pending messages are rows of the state "__delayed:NAME" in the order of their due
// times, parked ones of "__delayed_parked:NAME"; "__delayed_ids:NAME" says when messages are due whose ids do
// not. The transactional ids "delayed:NAME:0", which changes rows, and ":1" to ":4", which add some, change
// them: whoever opens the name holds all of these, so that an older holder delivers nothing any more.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/flow/delayed_messages.hpp>
#include <seriatim/task.hpp>

#include "flow/delayed/delayed_delivery.hpp"
#include "flow/delayed/delayed_horizon.hpp"
#include "flow/delayed/delayed_row_writer.hpp"
#include "flow/delayed/delayed_scheduler.hpp"
#include "flow/delayed/delayed_tables.hpp"
#include "flow/recipe_clock.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

class DelayedMessagesImpl {
 public:
  /// @param options  in their ranges.
  static Result<DelayedMessages> open(const Engine& engine, const DelayedMessagesOptions& options,
                                      flow::RecipeClock clock = flow::system_time);

  struct Parts {
    flow::DelayedTables tables;
    TransactionalProducer row_writer;
    Producer checker;
    flow::DelayedScheduler::Producers producers;
  };
  DelayedMessagesImpl(Parts parts, flow::RecipeClock clock);

  Result<std::vector<std::string>> schedule(std::span<const DelayedRecord> records);
  Result<std::string> schedule(Transaction& transaction, const DelayedRecord& record);
  Result<bool> cancel(std::string_view id);
  Result<bool> reschedule(std::string_view id, DueTime due);
  Result<bool> retry_parked(std::string_view id);
  Result<std::optional<DelayedMessage>> find(std::string_view id);
  const flow::DelayedTables& tables() const noexcept { return tables_; }
  Result<std::uint64_t> deliver();
  void wake() noexcept;
  DelayedMetrics metrics() const noexcept { return delivery_.metrics(); }

  /// A run of the background.
  Result<std::chrono::nanoseconds> run();

 private:
  Result<> start(const Engine& engine, const std::string& name);
  Result<> move_row(flow::DelayedRowWriter::Turn& turn, const flow::DelayedRow& row, Timestamp due);
  void note(const DelayedPosition& at);

  const flow::DelayedTables tables_;
  const flow::RecipeClock now_;
  flow::DelayedHorizon horizon_{};
  flow::DelayedRowWriter writer_;
  flow::DelayedScheduler scheduler_;
  std::mutex pass_mutex_;  ///< One pass at a time; before the turn of `writer_`.
  flow::DelayedDelivery delivery_;
  bool is_over_ = false;  ///< Nothing will succeed any more. Of the background.
  std::chrono::steady_clock::time_point next_look_at_all_{};
  std::optional<Task> task_{};  ///< The last member: its end waits for a run.
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
