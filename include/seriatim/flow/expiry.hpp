/// @file
/// Time to live: which records of a `Router` are expired, and their way to the dead letters.
#pragma once

#include <seriatim/language.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/export.hpp>
#include <seriatim/record.hpp>
#include <seriatim/result.hpp>
#include <seriatim/transaction.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// The time from which on a record is expired, by its header `expires_header`; nothing: never. A header that
/// is no number of milliseconds counts as none.
/// Threads: any.
SERIATIM_API std::optional<Timestamp> expiry_of(const RecordView& record) noexcept;
/// Whether a record is expired at a time.
/// Threads: any.
SERIATIM_API bool is_expired(const RecordView& record, Timestamp now) noexcept;

/// The records of a poll, divided.
struct SplitRecords {
  /// In the order of the poll. Valid as the records of the poll are.
  std::vector<RecordView> live{};
  std::size_t expired = 0;
};

/// How expired records become dead letters.
struct ExpiryOptions {
  /// Behind the name of the record's topic: the topic of its letters, made with one partition where it is not
  /// there. 1..249 bytes.
  std::string dead_letter_suffix = ".DLQ";
  /// The consumer's group, for the letters; empty: they name none.
  std::string group_id{};
};

/// Appends a dead letter for each expired record of a poll, with a transaction, and returns the others. With
/// the positions behind the poll in the same transaction (`Transaction::send_offsets`), each expired record
/// has one letter, whatever stops the program.
///
/// A letter has key, value, timestamp and headers of its record, but for `expires_header`: it does not expire
/// again; where it does not fit into the letter topic, key and value are left out. Behind these come
/// `__dlq.errors.topic`, `.partition`, `.offset`, `.group` and `.message`, as share groups write them.
///
/// @code
///   auto records = consumer.poll(std::chrono::seconds(1)).value();
///   auto transaction = producer.begin().value();
///   auto split = bury_expired(engine, transaction, records, now).value();
///   for (const RecordView& order : split.live) handle(order, transaction);
///   transaction.send_offsets(records.next_offsets(), consumer.group_metadata()).value();
///   transaction.commit().value();
/// @endcode
///
/// Errors: invalid_argument (an option out of range) · as Transaction::send and Admin::create_topic; a part
/// of the letters may be in the transaction then: abort it, and go back to the records (Consumer::seek).
/// Durability: with the transaction.
/// Threads: any.
SERIATIM_API Result<SplitRecords> bury_expired(const Engine& engine, Transaction& transaction,
                                               const ConsumerRecords& records, Timestamp now,
                                               const ExpiryOptions& options = {});

}  // namespace v0
}  // namespace seriatim
