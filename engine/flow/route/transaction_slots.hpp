// A few transactional ids of a router, for whoever needs a transaction now.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/result.hpp>
#include <seriatim/transaction.hpp>
#include <seriatim/types.hpp>

namespace seriatim::flow {

/// Opens an id when it is first needed, and again where a transaction cannot be begun: that ends what an
/// earlier one has left.
///
/// Threads: any; who finds no id free waits.
class TransactionSlots {
 public:
  /// @param ids  at least one.
  TransactionSlots(const Engine& engine, const std::vector<std::string>& ids, Acks acks);

  using Change = std::function<Result<>(Transaction&)>;
  /// One transaction: `change` and its commit. An error of `change` aborts it. Once it has begun, nothing of
  /// its id is under way any more: what an earlier run has left unknown is there, or never will be.
  /// Errors: those of `change`; as Engine::transactional_producer, Transaction::commit.
  Result<> run(const Change& change);

 private:
  struct Slot {
    std::string id;
    std::optional<TransactionalProducer> producer{};
  };
  /// One of the ids, for as long as it lives.
  class Lease {
   public:
    explicit Lease(TransactionSlots& slots);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Slot& operator*() const noexcept { return slots_.slots_[index_]; }

   private:
    TransactionSlots& slots_;
    std::size_t index_ = 0;
  };

  Result<> open(Slot& slot) const;
  Result<Transaction> begin(Slot& slot) const;

  const Engine engine_;
  const Acks acks_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<Slot> slots_{};
  std::vector<std::size_t> free_{};  ///< The last one is taken first: ids that nobody needs stay closed.
};

}  // namespace seriatim::flow
