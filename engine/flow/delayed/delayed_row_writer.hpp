// The changes of rows by one transactional id, one at a time, so that each finds the rows as the one before
// left them. One writer of a name makes all changes of rows that are there: deliveries, cancellations and the
// like.
#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include <seriatim/result.hpp>
#include <seriatim/transaction.hpp>

namespace seriatim::flow {

/// Threads: any, as said below.
class DelayedRowWriter {
 public:
  /// @param producer  of nobody else.
  explicit DelayedRowWriter(TransactionalProducer producer) noexcept;

  /// A turn: while it lives, nobody else changes rows.
  class Turn {
   public:
    Turn(Turn&&) noexcept = default;
    Turn& operator=(Turn&&) noexcept = delete;
    ~Turn() = default;
    /// One transaction of what `change` stages; it is aborted where that fails.
    /// @param committed  called once it is known to be committed, maybe in a later turn.
    /// Errors: of `change`, of Transaction::commit. With Outcome::unknown it may be committed: the next turn
    /// finds out first.
    Result<> change(const std::function<Result<>(Transaction&)>& change,
                    std::function<void()> committed = {});

   private:
    friend class DelayedRowWriter;
    explicit Turn(DelayedRowWriter& writer) : writer_(&writer), lock_(writer.mutex_) {}
    DelayedRowWriter* writer_;
    std::unique_lock<std::mutex> lock_;
  };

  /// Waits for the turns before it.
  /// Errors: not_written: what became of a transaction before is still not known, of its Transaction::commit.
  Result<Turn> begin();

 private:
  Result<> finish(Transaction transaction, std::function<void()> committed);

  std::mutex mutex_;
  TransactionalProducer producer_;
  /// A commit that may have been stored. As long as nobody knows, the rows in it are of no use.
  struct Unfinished {
    Transaction transaction;
    std::function<void()> committed;
  };
  std::optional<Unfinished> unfinished_{};
};

}  // namespace seriatim::flow
