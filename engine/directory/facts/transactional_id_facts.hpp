// The producer ids and epochs that transactional ids stand for: facts of a checkpoint, which the
// coordinator has.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "state/durable_facts.hpp"
#include "transaction/transaction_coordinator.hpp"

namespace seriatim::directory {

/// Threads: as DurableFacts.
class TransactionalIdFacts final : public state::DurableFacts {
 public:
  /// @param coordinator  outlives this; nullptr until the engine has one.
  explicit TransactionalIdFacts(const std::unique_ptr<transaction::TransactionCoordinator>& coordinator)
      : coordinator_(coordinator) {}

  /// Recovery finds the epochs where they were used: in the logs, too.
  Result<> replay(const state::ReplayedFrame&) override { return {}; }
  bool has_changes() const override { return !coordinator_->changed_ids().empty(); }
  void gather(catalog::TableWrites& to) override {
    gathered_ = coordinator_->changed_ids();
    for (const auto& [id, record] : gathered_) catalog::put_transactional_id(to, id, record);
  }
  bool stands_alone() const override { return true; }
  void stored(std::uint64_t) noexcept override { coordinator_->mark_stored(gathered_); }

 private:
  const std::unique_ptr<transaction::TransactionCoordinator>& coordinator_;
  std::vector<std::pair<std::string, catalog::TransactionalId>> gathered_{};
};

}  // namespace seriatim::directory
