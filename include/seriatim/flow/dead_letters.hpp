/// @file
/// Dead letters: looked at, replayed, purged. Of `RetryConsumer` and of share groups.
#pragma once

#include <seriatim/language.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/error.hpp>
#include <seriatim/export.hpp>
#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// A dead letter, copied. Fields that its headers do not say are empty.
struct DeadLetter {
  /// Where it is.
  PartitionId partition = -1;
  Offset offset = -1;
  Timestamp time{};  ///< Of the letter: when the record died.
  /// Where the record was.
  std::string topic{};
  std::optional<PartitionId> record_partition{};
  std::optional<Offset> record_offset{};
  std::optional<Timestamp> record_timestamp{};
  std::string group{};
  std::uint32_t attempts = 0;
  std::string error{};       ///< The message.
  std::string error_name{};  ///< As Error::name.
  std::optional<Timestamp> first_failure{};
  std::optional<std::string> key{};
  std::optional<std::string> value{};
  std::vector<std::pair<std::string, std::optional<std::string>>> headers{};  ///< The record's own.
  bool is_replayed = false;
};

/// Which letters are meant: those to which all of it applies. Default: all.
struct DeadLetterFilter {
  std::string error_contains{};  ///< Of the message.
  std::optional<std::string> key{};
  std::optional<Timestamp> from{};                     ///< DeadLetter::time not before this.
  std::optional<Timestamp> until{};                    ///< And before this.
  std::optional<PartitionId> partition{};              ///< Where the letter is.
  std::optional<std::pair<Offset, Offset>> offsets{};  ///< Of the letter: first and last.
  std::optional<bool> is_replayed{};                   ///< Whether it was.
};

/// Where a list or a replay goes on.
struct DeadLetterPosition {
  PartitionId partition = 0;
  Offset offset = 0;  ///< The next one to look at.
};

struct DeadLetterPage {
  std::vector<DeadLetter> letters{};
  /// Nothing: there are no others.
  std::optional<DeadLetterPosition> next{};
};

/// Letters of any topic that has some, by partition and offset, at most `limit`, 1 .. 10'000. Also in a
/// read-only engine.
/// Errors: invalid_argument, unknown_topic_or_partition; as LogReader::read and State::get.
/// Threads: any.
/// Cost: reads at most 10'000 records a call: a page may be empty and have a `next`.
SERIATIM_API Result<DeadLetterPage> list_dead_letters(const Engine& engine, std::string_view topic,
                                                      const DeadLetterPosition& from, std::size_t limit,
                                                      const DeadLetterFilter& filter = {});

/// Deletes the letters of a partition before an offset; Offset -1: all that it has.
/// @return how many offsets were given up.
/// Errors: as Admin::delete_records and State::scan.
/// Threads: any.
/// Durability: as Admin::delete_records.
SERIATIM_API Result<std::uint64_t> purge_dead_letters(const Engine& engine, const TopicPartition& partition,
                                                      Offset before = -1);

struct DeadLetterReplayOptions {
  /// The topic of the letters.
  std::string topic{};
  DeadLetterFilter filter{};
  /// Where the records go. Empty: each to the topic and partition where it was (or, where that topic has the
  /// partition no more, by its key).
  std::string to{};
  Acks acks = Acks::all;
};

struct DeadLetterReplayStep {
  std::uint64_t replayed = 0;
  std::uint64_t replayed_before = 0;  ///< Letters that were replayed before: they are left out.
  /// Left out: letters without key and value, that is without their record, and, where `to` is empty, those
  /// that do not say where it was.
  std::uint64_t left_out = 0;
  bool is_through = false;  ///< There were no other letters.
};

namespace detail {
class DeadLetterReplayImpl;
}

/// Puts records back: key, value and their own headers, with a new timestamp. Each letter is replayed once,
/// whatever stops the program and however often it is asked for: the append and the note that it was done are
/// one transaction (the state "__dlq_replayed"). The letters stay, until they are purged.
///
/// Threads: one at a time. Of two replays of a topic the later one fences the one before.
class SERIATIM_API DeadLetterReplay {
 public:
  /// Errors: invalid_argument, unknown_topic_or_partition; as Engine::transactional_producer.
  static Result<DeadLetterReplay> open(const Engine& engine, DeadLetterReplayOptions options);
  DeadLetterReplay(DeadLetterReplay&&) noexcept;
  DeadLetterReplay& operator=(DeadLetterReplay&&) noexcept;
  ~DeadLetterReplay();

  /// Replays the next letters, at most `limit`, 1 .. 1'000, in one transaction. For a rate, the caller waits
  /// between the steps.
  /// Errors: as Transaction::send and Transaction::commit: nothing of the step was replayed, or, with
  /// Outcome::unknown, all of it; the next call goes on from there · unknown_topic_or_partition: the
  /// record's topic is no more: name another one.
  Result<DeadLetterReplayStep> step(std::size_t limit);

 private:
  explicit DeadLetterReplay(std::unique_ptr<detail::DeadLetterReplayImpl> impl) noexcept;
  std::unique_ptr<detail::DeadLetterReplayImpl> impl_;
};

}  // namespace v0
}  // namespace seriatim
