/// @file
/// `Errc` and `Error`: what went wrong, where, what to do next, and what is true afterwards.
#pragma once

#include <seriatim/language.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <seriatim/export.hpp>

namespace seriatim {
inline namespace v0 {

/// Every error the library can return. Where Kafka has an error for the case, the name is Kafka's.
///
/// The comment says what the caller should do. Values are stable from 1.0 on; new ones are appended.
enum class Errc : std::int32_t {
  // Fix the call.
  invalid_argument = 1,            ///< An argument is outside its documented range.
  invalid_topic = 2,               ///< Not a legal topic name: 1..249 of [A-Za-z0-9._-], not "." or "..".
  invalid_partitions = 3,          ///< A partition count outside 1..10'000, or fewer than now.
  invalid_config = 4,              ///< Unknown configuration name, or value out of range.
  unknown_topic_or_partition = 5,  ///< No such topic or partition. Create it, or correct the name.
  topic_already_exists = 6,        ///< A topic of this name exists.
  record_too_large = 7,            ///< The batch exceeds `max.message.bytes`. Nothing was written.
  invalid_record = 8,              ///< A record may not be stored here (no key on a compacted topic, ...).
  invalid_timestamp = 9,           ///< A timestamp is negative and not "none".
  offset_out_of_range = 10,        ///< Below the log start or above the end. Seek, or set a reset policy.
  no_offset_for_partition = 11,    ///< No committed offset, and `auto_offset_reset` is none.
  offset_metadata_too_large = 12,  ///< Commit metadata over 4'096 bytes.
  policy_violation = 13,           ///< The topic's `cleanup.policy` forbids this.
  invalid_state = 14,              ///< Not now: not assigned, used from two threads, used after fork().
  unsupported_codec = 15,          ///< A codec, or a feature of its frames, not known here. No damage.

  // Try again later, or wait for something.
  queue_full = 20,  ///< `buffer_memory` is used up. Retry when earlier records have been written.
  timed_out = 21,   ///< The time allowed is over. See `Error::outcome()` for appends.
  wakeup = 22,      ///< `Consumer::wakeup()` was called. Not a failure.

  // Make a new object.
  closed = 30,     ///< This handle, or its engine, was closed.
  read_only = 31,  ///< The engine was opened read-only, or the file system is.

  // The environment.
  locked = 40,               ///< Another process writes to this directory. The message says which.
  permission_denied = 41,    ///< The file system refuses access. Correct owner or mode.
  too_many_open_files = 42,  ///< The descriptor limit is reached. Raise `ulimit -n`. Retriable.
  storage_full = 43,    ///< The file system is full. Acknowledged records are safe; free space and retry.
  storage_failed = 44,  ///< A sync or write failed for good. Reopen the engine; it reads back from the disk.
  io_error = 45,        ///< A system call failed in another way. `sys_errno()` has the cause.
  not_found = 46,       ///< A file or directory that should be there is not.
  out_of_memory = 47,   ///< No memory, no address space or no more maps (vm.max_map_count). Retriable.

  // The data.
  corrupt_record = 50,        ///< Stored bytes fail their checks. The message has file, position and offsets.
  corrupt_metadata = 51,      ///< The catalog or another non-log file fails its checks.
  unsupported_version = 52,   ///< Written by a newer seriatim. Upgrade; nothing is damaged.
  not_a_data_directory = 53,  ///< The directory holds something else. Choose another one.

  // Producers and transactions.
  out_of_order_sequence_number =
      60,  ///< The sequence is not the next one: something before it is missing or was stored.
  invalid_producer_epoch = 61,       ///< The epoch is older than one the partition has seen.
  producer_fenced = 62,              ///< Another holder of this name or id was opened since. Close this one.
  invalid_txn_state = 63,            ///< Not in this state of the transaction: none is open, or it has ended.
  concurrent_transactions = 64,      ///< A transaction of this producer is open already. End it first.
  invalid_transaction_timeout = 65,  ///< Not from 1 ms to the engine's `transaction_max_timeout`.
  transaction_abortable = 66,  ///< The transaction cannot be committed any more. Abort it, and begin again.
  unknown_producer_id = 67,    ///< No producer of this directory has this id.
  unknown_member_id = 68,      ///< The consumer is no member of the group, or of another engine.
  transactional_id_not_found = 69,  ///< No producer ever used this transactional id.

  // Consumer groups.
  unreleased_instance_id = 70,  ///< A living member has this `group_instance_id`. Close it first.
  non_empty_group = 71,         ///< The group has members. Close or remove them first.
  group_id_not_found = 72,      ///< No group of this name has members or committed offsets.
  invalid_record_state = 73,    ///< The record is not acquired by this consumer, or no longer.
};

/// Kafka's spelling of a code, for logs and scripts: "OFFSET_OUT_OF_RANGE".
/// Threads: any.
SERIATIM_API std::string_view name(Errc code) noexcept;

/// Whether an append that returned an error took effect.
enum class Outcome : std::uint8_t {
  not_written,  ///< Nothing of it is in the log and nothing will be.
  unknown,      ///< It may or may not survive. Send the same data again only where a duplicate is harmless.
};

/// An error by value: a code, a message for people, the errno behind it if there is one.
///
/// Cheap to copy and move (one reference count); the text is allocated once, when the error is made.
/// Threads: a const Error may be used by any number of threads.
class SERIATIM_API Error {
 public:
  /// @param message  what failed, where (file, topic-partition, offset), and what to do next.
  /// @param sys_errno  errno of the failed call, 0 if none.
  Error(Errc code, std::string message, int sys_errno = 0, Outcome outcome = Outcome::not_written);

  Errc code() const noexcept;
  /// The code as text, "OFFSET_OUT_OF_RANGE". Lives for ever.
  std::string_view name() const noexcept;
  /// Says what failed, where, and what to do next. Lives as long as any copy of this error.
  const std::string& message() const noexcept;
  int sys_errno() const noexcept;
  /// Meaningful for errors of appends only.
  Outcome outcome() const noexcept;

  /// The same call may succeed later without anything else being changed.
  bool retriable() const noexcept;
  /// This object is of no further use: close it and open a new one.
  bool fatal() const noexcept;
  /// The transaction that met it can only be aborted.
  bool requires_abort() const noexcept;

  /// A copy of this error with `context` and ": " before its message.
  Error with_context(std::string_view context) const;
  /// A copy of this error with another outcome.
  Error with_outcome(Outcome outcome) const;

 private:
  struct Rep;
  std::shared_ptr<const Rep> rep_;
};

}  // namespace v0
}  // namespace seriatim
