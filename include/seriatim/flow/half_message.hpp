/// @file
/// `HalfMessages`: records that are prepared first, and appended or dropped once it is known how another
/// system's transaction ended (RocketMQ's half messages).
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
#include <utility>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/export.hpp>
#include <seriatim/record.hpp>
#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// A half message that is not decided yet, copied.
struct HalfMessage {
  std::string id{};
  std::string topic{};  ///< Where it will be appended.
  std::optional<PartitionId> partition{};
  std::optional<std::string> key{};
  std::optional<std::string> value{};
  std::vector<std::pair<std::string, std::optional<std::string>>> headers{};
  std::optional<Timestamp> timestamp{};  ///< Nothing: that of the commit.
  Timestamp prepare_time{};
  std::uint32_t checks = 0;  ///< How often the check answered `unknown`.
  bool is_parked = false;    ///< It was checked often enough: only `commit` and `rollback` decide it.
};

/// How a half message was decided. The first decision stays.
enum class HalfDecision : std::uint8_t { committed, rolled_back };

/// The answer of a check.
enum class HalfVerdict : std::uint8_t {
  commit,
  rollback,
  unknown,  ///< Not now: ask again.
};

/// Finds out how the transaction of a half message ended, mostly by a look into the other system for the id.
/// Must not throw.
/// Threads: that of `HalfMessages::check`, or the engine's for tasks, which it should not hold for long; one
/// call at a time.
using HalfCheck = std::function<HalfVerdict(const HalfMessage&)>;

struct HalfMessagesOptions {
  /// The owner's name, across restarts: 1..80 bytes without a zero byte. An instance that opens the same name
  /// later fences the one before.
  std::string name{};
  /// Undecided for so long, a message is checked for the first time; one that an earlier run prepared is
  /// checked at once. 0 ms or more; the largest value means never.
  std::chrono::milliseconds check_after{60'000};
  /// Between two checks of one message, 0 ms or more.
  std::chrono::milliseconds check_every{60'000};
  /// After so many checks that answered `unknown` it is given up. 1 or more.
  std::uint32_t max_checks = 15;
  /// The fate of a half message that is given up.
  enum class GiveUp : std::uint8_t { park, roll_back } give_up = GiveUp::park;
  /// A decision is remembered for so long, counted from the `prepare`, 0 ms or more; later ones
  /// answer not_found.
  std::chrono::milliseconds decision_retention{std::chrono::hours(24 * 7)};
  /// Checks as a task of the engine (`Engine::task`), begun by `open` and ended by the destructor. False: the
  /// owner calls `check` now and then.
  bool checks_in_background = true;
  /// Is told what a check in the background could not do. On the task's thread.
  std::function<void(const Error&)> on_error{};
};

/// The results of one pass of checks.
struct HalfCheckSummary {
  std::uint64_t checked = 0;
  std::uint64_t committed = 0;
  std::uint64_t rolled_back = 0;
  std::uint64_t parked = 0;
  std::uint64_t forgotten_decisions = 0;
};

namespace detail {
struct HalfMessagesImpl;
}

/// A half message that was prepared, while the transaction that decides it is under way: as long as this
/// lives, no check asks about it.
///
/// Threads: one at a time.
class SERIATIM_API PreparedHalf {
 public:
  PreparedHalf(PreparedHalf&&) noexcept;
  PreparedHalf& operator=(PreparedHalf&&) noexcept;
  ~PreparedHalf();
  /// 32 letters and digits, to be stored with the transaction of the other system.
  const std::string& id() const noexcept { return id_; }

 private:
  friend struct detail::HalfMessagesImpl;
  PreparedHalf(std::shared_ptr<detail::HalfMessagesImpl> impl, std::string id) noexcept;
  void release() noexcept;
  std::shared_ptr<detail::HalfMessagesImpl> impl_;
  std::string id_;
};

/// Half messages of one name. Prepared ones are state (`Engine::state`); a decision is one transaction that
/// appends the record and takes the message out of the state, so that it is appended once, or never.
///
/// @code
///   auto half = HalfMessages::open(engine, {.name = "orders"}, look_into_my_database).value();
///   auto prepared = half.prepare({.topic = "orders", .value = order}).value();
///   store_in_my_database(order, prepared.id());   // a transaction of its own
///   half.commit(prepared.id()).value();           // or the check does it later
/// @endcode
///
/// Threads: any; calls for one message wait for one another. Four calls at a time share their syncs, others
/// wait. Destroy it after the calls have returned.
class SERIATIM_API HalfMessages {
 public:
  /// @param check  empty: nothing is checked; `commit` and `rollback` decide.
  /// Errors: invalid_argument (an option out of range), read_only, closed, invalid_state; as
  /// Engine::transactional_producer.
  static Result<HalfMessages> open(const Engine& engine, HalfMessagesOptions options, HalfCheck check = {});

  HalfMessages(HalfMessages&&) noexcept;
  HalfMessages& operator=(HalfMessages&&) noexcept;
  ~HalfMessages();

  /// Stores a record that nobody sees. Durable on return: survives power loss.
  /// Errors: invalid_argument: with key, headers and all it takes more than 1 MiB · as Producer::check: what
  /// could not be committed (unknown_topic_or_partition, record_too_large, invalid_record,
  /// invalid_timestamp) · producer_fenced · as Transaction::commit; with Outcome::unknown it may be
  /// stored, and is checked then.
  Result<PreparedHalf> prepare(const ProducerRecord& record);
  /// Appends the record to its topic.
  /// @return the decision: rolled_back if that came first.
  /// Errors: not_found: there is no such message, or its decision was forgotten · as Transaction::send
  /// (unknown_topic_or_partition, record_too_large, ...): still undecided · as Transaction::commit; with
  /// Outcome::unknown the same call again tells.
  Result<HalfDecision> commit(std::string_view id);
  /// Drops the record.
  /// @return the decision: committed if that came first.
  /// Errors: as `commit`.
  Result<HalfDecision> rollback(std::string_view id);

  /// One pass: asks about everything that is due, and forgets old decisions. A second one at the same time
  /// waits for the first.
  /// Errors: the first that a message met; the others were gone through.
  Result<HalfCheckSummary> check();
  /// Undecided messages by id, which is the order of their preparation, mostly.
  /// Errors: as State::scan.
  Result<std::vector<HalfMessage>> list() const;

 private:
  friend struct detail::HalfMessagesImpl;
  explicit HalfMessages(std::shared_ptr<detail::HalfMessagesImpl> impl) noexcept;
  std::shared_ptr<detail::HalfMessagesImpl> impl_;
};

/// Undecided messages of a name, also in a read-only engine.
/// Errors: as State::scan.
/// Threads: any.
SERIATIM_API Result<std::vector<HalfMessage>> list_half_messages(const Engine& engine, std::string_view name);
/// Names that have undecided messages.
/// Errors: as Admin::list_states.
/// Threads: any.
SERIATIM_API Result<std::vector<std::string>> list_half_message_names(const Engine& engine);

}  // namespace v0
}  // namespace seriatim
