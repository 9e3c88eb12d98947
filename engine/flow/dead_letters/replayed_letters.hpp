// Which letters were replayed: rows of the state "__dlq_replayed". A key is the id of the letters' topic, so
// that a topic made again under a name begins anew, the partition and the offset, in their order; its value
// says where the record is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <seriatim/engine.hpp>
#include <seriatim/flow/dead_letters.hpp>
#include <seriatim/result.hpp>
#include <seriatim/state.hpp>
#include <seriatim/transaction.hpp>
#include <seriatim/types.hpp>

namespace seriatim::flow {

/// Of one topic.
/// Threads: any.
class ReplayedLetters {
 public:
  /// @param topic_id  of its description.
  /// Errors: as Engine::state.
  static Result<ReplayedLetters> open(const Engine& engine, std::string topic_id);

  /// Errors: as State::get.
  Result<bool> contains(PartitionId partition, Offset offset) const;
  /// Errors: as TransactionTable::put.
  Result<> add(Transaction& transaction, const DeadLetterPosition& letter, std::string_view where) const;
  /// Forgets those of a partition before an offset, at most `limit` of them.
  /// @return how many: fewer than `limit` if no others are there.
  /// Errors: as State::scan and TransactionTable::erase.
  Result<std::size_t> forget(Transaction& transaction, const DeadLetterPosition& before,
                             std::size_t limit) const;

 private:
  ReplayedLetters(State table, std::string topic_id) noexcept;
  std::string key_of(PartitionId partition, Offset offset) const;

  State table_;
  std::string topic_id_;
};

}  // namespace seriatim::flow
