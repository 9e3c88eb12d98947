#include "flow/delayed/delayed_row_writer.hpp"

#include <utility>

namespace seriatim::flow {

DelayedRowWriter::DelayedRowWriter(TransactionalProducer producer) noexcept
    : producer_(std::move(producer)) {}

Result<DelayedRowWriter::Turn> DelayedRowWriter::begin() {
  Turn turn(*this);
  if (!unfinished_) return turn;
  Unfinished earlier = *std::move(unfinished_);
  unfinished_.reset();
  auto finished = finish(std::move(earlier.transaction), std::move(earlier.committed));
  if (!finished) {
    // Nothing of the change that is to come was written.
    return finished.error()
        .with_context("finishing an earlier change of delayed messages")
        .with_outcome(Outcome::not_written);
  }
  return turn;
}

Result<> DelayedRowWriter::Turn::change(const std::function<Result<>(Transaction&)>& change,
                                        std::function<void()> committed) {
  auto transaction = writer_->producer_.begin();
  if (!transaction) return transaction.error();
  if (auto changed = change(*transaction); !changed) {
    // Its own error says more than one of the abort, which the engine tries again and reports.
    static_cast<void>(transaction->abort());
    return changed;
  }
  return writer_->finish(*std::move(transaction), std::move(committed));
}

Result<> DelayedRowWriter::finish(Transaction transaction, std::function<void()> committed) {
  auto outcome = transaction.commit();
  // Once more where the disk was full: what was staged before may have found room.
  if (!outcome && outcome.error().outcome() == Outcome::unknown) outcome = transaction.commit();
  if (!outcome && outcome.error().outcome() == Outcome::unknown) {
    unfinished_.emplace(Unfinished{std::move(transaction), std::move(committed)});
    return outcome;
  }
  if (outcome && committed) committed();
  return outcome;
}

}  // namespace seriatim::flow
