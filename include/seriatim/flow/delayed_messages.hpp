/// @file
/// `DelayedMessages`: records that are appended to their topic when their time has come.
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/error.hpp>
#include <seriatim/export.hpp>
#include <seriatim/record.hpp>
#include <seriatim/result.hpp>
#include <seriatim/transaction.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// When a delayed message is due: a time of day, or a delay from the call on that it is given to.
class DueTime {
 public:
  // Converting on purpose: `schedule(record, 30s)`, `schedule(record, tomorrow)`.
  // NOLINTBEGIN(google-explicit-constructor)
  /// At this time; one that is over means at once.
  constexpr DueTime(Timestamp at) noexcept : count_(at.time_since_epoch()), is_delay_(false) {}
  /// After this delay, rounded up to milliseconds; 0 or less means at once.
  template <class Rep, class Period>
  constexpr DueTime(std::chrono::duration<Rep, Period> delay) noexcept
      : count_(whole_ms(delay)), is_delay_(true) {}
  // NOLINTEND(google-explicit-constructor)

  /// The time that is meant by a call at `now`; the end of time where their sum is beyond it.
  constexpr Timestamp from(Timestamp now) const noexcept {
    if (!is_delay_) return Timestamp{count_};
    if (count_.count() <= 0) return now;
    if (now.time_since_epoch() > std::chrono::milliseconds::max() - count_) return Timestamp::max();
    return now + count_;
  }

 private:
  // A duration of hours may be more milliseconds than there are.
  template <class Rep, class Period>
  static constexpr std::chrono::milliseconds whole_ms(std::chrono::duration<Rep, Period> delay) noexcept {
    using Milliseconds = std::chrono::duration<long double, std::milli>;
    if (Milliseconds(delay).count() >= 9.0e18L) return std::chrono::milliseconds::max();
    if (Milliseconds(delay).count() <= 0) return std::chrono::milliseconds::zero();
    return std::chrono::ceil<std::chrono::milliseconds>(delay);
  }

  std::chrono::milliseconds count_;
  bool is_delay_;
};

/// A record to be delivered later.
///
/// Lifetime: as `ProducerRecord`.
struct DelayedRecord {
  /// Its topic has to exist. Without a timestamp it gets that of its delivery. `sequence` is not used.
  ProducerRecord record{};
  DueTime due{std::chrono::milliseconds{0}};
  /// 1..200 bytes of the caller's own, by which `cancel`, `reschedule` and `find` know it; empty: one is
  /// made.
  std::string_view id{};
};

/// A message that waits for its time, copied.
struct DelayedMessage {
  std::string id{};
  Timestamp due{};
  std::string topic{};
  std::optional<PartitionId> partition{};
  std::optional<std::string> key{};
  std::optional<std::string> value{};
  std::vector<std::pair<std::string, std::optional<std::string>>> headers{};
  std::optional<Timestamp> timestamp{};  ///< Nothing: that of the delivery.
  /// Why it could not be delivered. Set: it is parked, and waits for `retry_parked` or `cancel`.
  std::optional<Error> parked_for{};
};

/// Where a list goes on: behind the message of this due time and id. Default: from the beginning.
struct DelayedPosition {
  Timestamp due{std::chrono::milliseconds{0}};
  std::string id{};
};

/// Which messages of a name a list shows.
enum class DelayedListing : std::uint8_t {
  pending,  ///< They wait for their time.
  parked,   ///< They could not be delivered.
};

struct DelayedMessagesOptions {
  /// The owner's name, across restarts: 1..80 bytes without a zero byte. An instance that opens the same name
  /// later fences the one before.
  std::string name{};
  /// The fault that a message survives once it is scheduled, and its delivery once it is done: as
  /// TransactionalProducerOptions::acks. `none` is refused.
  Acks acks = Acks::all;
  /// Delivers in the background, as a task of the engine, from `open` until the object is destroyed. False:
  /// the owner calls `deliver` now and then.
  bool delivers_in_background = true;
};

/// Figures of one open object; they begin at zero.
struct DelayedMetrics {
  std::uint64_t delivered = 0;  ///< Appended to their topics.
  std::uint64_t parked = 0;     ///< Could not be delivered.
  std::uint64_t batches = 0;    ///< Transactions that delivered or parked something.
  std::uint64_t failures = 0;   ///< Passes that met an error, to be tried again.
  /// From the due time of a message to the end of its delivery's commit, by the wall clock; a message that
  /// was due before the open counts from the open. 0: never late, or nothing was delivered.
  std::chrono::milliseconds lateness_max{0};
  std::chrono::milliseconds lateness_last{0};
};

namespace detail {
class DelayedMessagesImpl;
}

/// Delayed messages of one name: any delay and any time up to the year 9999, by the millisecond. Pending ones
/// are state (`Engine::state`), in the order of their due times, and no retention takes them. A delivery is
/// one transaction that appends records to their topics and takes their messages out of the state: each is
/// appended once.
///
/// @code
///   auto delayed = DelayedMessages::open(engine, {.name = "reminders"}).value();
///   delayed.schedule({.topic = "mails", .value = mail}, std::chrono::hours(72)).value();
/// @endcode
///
/// Order: messages of one partition are appended in the order of their due times, of those that were
/// committed before the pass that delivers them. Messages of one millisecond have the order of their ids;
/// ids that one object made are in the order of the calls.
///
/// Time is the wall clock, since a due time is one. The background looks at it at least every 100 ms: after a
/// jump forwards everything that became due is delivered in order, after a jump backwards the rest waits.
///
/// Threads: any. Four calls of `schedule` at a time share their syncs. `cancel`, `reschedule`,
/// `retry_parked` and the delivery wait for one another. Destroy it after the calls have returned.
class SERIATIM_API DelayedMessages {
 public:
  /// Errors: invalid_argument (an option out of range), read_only, closed, invalid_state; as
  /// Engine::transactional_producer.
  /// Cost: the same whatever is pending: nothing is scanned.
  static Result<DelayedMessages> open(const Engine& engine, DelayedMessagesOptions options);

  DelayedMessages(DelayedMessages&&) noexcept;
  DelayedMessages& operator=(DelayedMessages&&) noexcept;
  /// Waits for a delivery that is under way.
  ~DelayedMessages();

  /// Stores a record that is delivered later.
  /// @return its id: `id`, or 32 letters and digits.
  /// Errors: invalid_argument: `due` lies before 1970 or behind the year 9999, `id` is too long, or a pending
  /// or parked message has this id · record_too_large: with key, headers and all it takes more than 1 MiB
  /// less 2 KiB · as Producer::check: what could not be delivered as things are (unknown_topic_or_partition,
  /// record_too_large, invalid_record, invalid_timestamp) · producer_fenced · as Transaction::commit; with
  /// Outcome::unknown it may be scheduled.
  /// Durability: as DelayedMessagesOptions::acks, on return.
  Result<std::string> schedule(const ProducerRecord& record, DueTime due, std::string_view id = {});
  /// The same for many, in one transaction: all of them are scheduled, or none.
  /// @return their ids, in the order of `records`.
  /// Errors: as above; the message names the record by its index. record_too_large also: together they are
  /// more than EngineOptions::transaction_max_bytes · invalid_argument also: two have one id.
  Result<std::vector<std::string>> schedule(std::span<const DelayedRecord> records);
  /// The same with the caller's transaction: it is scheduled when that commits, and never if it does not. The
  /// background finds it within 100 ms of the commit where it is due by then, or within ten times what a look
  /// from the beginning takes, if that is more; `wake` behind the commit spares that.
  /// An id must not be scheduled by two transactions that are open at the same time: both messages would be
  /// delivered, and the id would be that of one of them.
  /// Errors: as above, without those of a commit; as TransactionTable::put.
  Result<std::string> schedule(Transaction& transaction, const ProducerRecord& record, DueTime due,
                               std::string_view id = {});

  /// Takes a pending or parked message away.
  /// @return true: it never is delivered. False: there is none of this id any more: it was delivered or
  /// cancelled, or there never was one.
  /// Errors: invalid_argument · producer_fenced · as Transaction::commit; with Outcome::unknown the same call
  /// again tells.
  Result<bool> cancel(std::string_view id);
  /// Gives a pending or parked message another due time, and its partition's queue in the order of that.
  /// @return false: there is none of this id any more, as of `cancel`.
  /// Errors: as `cancel`; invalid_argument: `due` lies before 1970 or behind the year 9999.
  Result<bool> reschedule(std::string_view id, DueTime due);
  /// Makes a parked message pending again; it keeps its due time, and so is delivered at once, mostly.
  /// @return false: no message of this id is parked.
  /// Errors: as `cancel`.
  Result<bool> retry_parked(std::string_view id);

  /// The pending or parked message of an id; nothing if there is none.
  /// Errors: invalid_argument; as State::get.
  /// Cost: at most three look-ups.
  Result<std::optional<DelayedMessage>> find(std::string_view id) const;
  /// Messages in due order, at most `limit`, from behind `after` on. Changes between two pages are seen or
  /// not, message by message.
  /// Errors: as State::scan.
  Result<std::vector<DelayedMessage>> list(DelayedListing which, const DelayedPosition& after,
                                           std::size_t limit) const;
  /// How many there are, exactly, if nothing changes meanwhile.
  /// Errors: as State::scan.
  /// Cost: reads all of them, page by page, in bounded memory: about a second for a million.
  Result<std::uint64_t> count(DelayedListing which = DelayedListing::pending) const;

  /// Delivers all that is due, on this thread; a pass in the background and this wait for one another.
  /// @return how many were delivered.
  /// Errors: producer_fenced · as Transaction::send and Transaction::commit: what is not delivered stays
  /// pending. A record that its topic refuses is parked, which is no error.
  /// Cost: passes over what was erased since the last checkpoint: not for every message.
  Result<std::uint64_t> deliver();
  /// Has the background look for due messages at once: behind the commit of a transaction that scheduled.
  void wake() noexcept;
  DelayedMetrics metrics() const noexcept;

 private:
  friend class detail::DelayedMessagesImpl;
  explicit DelayedMessages(std::unique_ptr<detail::DelayedMessagesImpl> impl) noexcept;
  std::unique_ptr<detail::DelayedMessagesImpl> impl_;
};

/// As DelayedMessages::list, also in a read-only engine.
/// Errors: as State::scan.
/// Threads: any.
SERIATIM_API Result<std::vector<DelayedMessage>> list_delayed_messages(const Engine& engine,
                                                                       std::string_view name,
                                                                       DelayedListing which,
                                                                       const DelayedPosition& after,
                                                                       std::size_t limit);
/// As DelayedMessages::count, also in a read-only engine.
/// Errors: as State::scan.
/// Threads: any.
SERIATIM_API Result<std::uint64_t> count_delayed_messages(const Engine& engine, std::string_view name,
                                                          DelayedListing which = DelayedListing::pending);
/// Names that have pending or parked messages.
/// Errors: as Admin::list_states.
/// Threads: any.
SERIATIM_API Result<std::vector<std::string>> list_delayed_message_names(const Engine& engine);

}  // namespace v0
}  // namespace seriatim
