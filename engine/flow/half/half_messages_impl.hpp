// Behind `HalfMessages`. Undecided messages are the state "half:NAME", decisions "half_decided:NAME"; both by
// id. A handful of transactional ids, "half:NAME:0" and so on, change them: whoever opens the name holds all
// of these, so that an older holder decides nothing any more.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/flow/half_message.hpp>
#include <seriatim/producer.hpp>
#include <seriatim/state.hpp>
#include <seriatim/task.hpp>
#include <seriatim/transaction.hpp>

#include "flow/half/half_message_codec.hpp"
#include "flow/recipe_clock.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

struct HalfMessagesImpl : std::enable_shared_from_this<HalfMessagesImpl> {
  /// @param options  in their ranges.
  static Result<HalfMessages> open(const Engine& engine, HalfMessagesOptions options, HalfCheck check,
                                   flow::RecipeClock clock = flow::system_time);

  /// The states of a name, and who knows what may be sent.
  struct Tools {
    State undecided;
    State decided;
    Producer checker;
  };
  HalfMessagesImpl(const Engine& of, HalfMessagesOptions given, HalfCheck check_function,
                   flow::RecipeClock clock, Tools tools);

  Result<PreparedHalf> prepare(const ProducerRecord& record);
  Result<HalfDecision> decide(const std::string& id, HalfDecision wanted);
  Result<HalfCheckSummary> check_all();
  void release(const std::string& id) noexcept;
  const Engine& engine() const noexcept { return engine_; }
  const std::string& name() const noexcept { return options_.name; }
  /// Errors: as Engine::task.
  Result<> start();
  /// Ends the checks in the background. Idempotent.
  void stop() noexcept;

 private:
  using Change = std::function<Result<>(Transaction&)>;

  /// One transaction.
  Result<> change(const Change& what);
  Result<HalfDecision> decide_claimed(const std::string& id, HalfDecision wanted);
  Result<std::optional<HalfDecision>> decision_of(const std::string& id) const;
  Result<std::optional<flow::StoredHalf>> find(const std::string& id) const;
  bool is_due(const flow::StoredHalf& half, Timestamp now);
  Result<> check_entry(const StateEntry& entry, Timestamp now, HalfCheckSummary& summary);
  Result<> check_one(const flow::StoredHalf& half, Timestamp now, HalfCheckSummary& summary);
  Result<> note_unknown(const std::string& id, Timestamp now, HalfCheckSummary& summary);
  Result<> forget_decisions(Timestamp now, HalfCheckSummary& summary);
  Result<std::chrono::nanoseconds> check_in_background();
  // half_message_tables.cpp
  Result<> move_older_tables();
  Result<> move_table(const std::string& from, const std::string& to);

  /// While it lives, no other call decides or changes this message.
  class Claim {
   public:
    Claim(HalfMessagesImpl& impl, const std::string& id);
    ~Claim();
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

   private:
    HalfMessagesImpl& impl_;
    const std::string& id_;
  };

  const Engine engine_;
  const HalfMessagesOptions options_;
  const HalfCheck check_;
  const flow::RecipeClock now_;
  const State undecided_;
  const State decided_;
  const Producer checker_;
  const Timestamp opened_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<TransactionalProducer> idle_{};  ///< Of those that no call uses.
  std::set<std::string> claimed_{};
  std::set<std::string> held_{};  ///< With a PreparedHalf.
  std::mutex check_mutex_;        ///< One pass at a time; before `mutex_`.
  std::optional<Task> task_{};    ///< The last member: its end waits for a check.
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
